"""Only the edge that holds the secret can speak for itself, and only for the request it signed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kitchen_watch.errors import NotAuthenticated
from kitchen_watch.signing import MIN_SECRET_BYTES, new_secret, sign, signed_at, verify

SECRET = new_secret()
BODY = '{"events": "老鼠"}'.encode()


def _headers(at: datetime | None = None) -> dict[str, str]:
    return sign(
        SECRET, edge_id="edge-1", method="POST", target="/api/v1/edge/events", body=BODY,
        at=at or datetime.now(UTC),
    )  # fmt: skip


def test_a_signed_request_is_accepted() -> None:
    verify(SECRET, headers=_headers(), method="post", target="/api/v1/edge/events", body=BODY)


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("PUT", "/api/v1/edge/events", BODY),
        ("POST", "/api/v1/edge/evidence/abc", BODY),
        ("POST", "/api/v1/edge/events?x=1", BODY),
        ("POST", "/api/v1/edge/events", BODY + b" "),
    ],
)
def test_a_signature_cannot_be_moved_to_another_request(method: str, target: str, body: bytes) -> None:
    with pytest.raises(NotAuthenticated):
        verify(SECRET, headers=_headers(), method=method, target=target, body=body)


def test_another_edge_cannot_use_it() -> None:
    with pytest.raises(NotAuthenticated):
        verify(
            SECRET, headers=_headers() | {"kw-edge-id": "edge-2"}, method="POST",
            target="/api/v1/edge/events", body=BODY,
        )  # fmt: skip


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_clock_more_than_five_minutes_off_is_refused(minutes: int) -> None:
    headers = _headers(datetime.now(UTC) + timedelta(minutes=minutes))
    with pytest.raises(NotAuthenticated, match="timestamp too"):
        verify(SECRET, headers=headers, method="POST", target="/api/v1/edge/events", body=BODY)


@pytest.mark.parametrize("signature", ["", "nonsense", "v1,", "v1,%%%", "v2,AAAA", "v1"])
def test_garbage_is_refused_and_never_a_server_error(signature: str) -> None:
    with pytest.raises(NotAuthenticated):
        verify(
            SECRET, headers=_headers() | {"webhook-signature": signature}, method="POST",
            target="/api/v1/edge/events", body=BODY,
        )  # fmt: skip


def test_the_time_of_signing_can_be_read_back() -> None:
    at = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    assert signed_at(_headers(at)) == at
    assert signed_at({"webhook-timestamp": "soon"}) is None


def test_new_secrets_are_long_and_different() -> None:
    assert new_secret() != new_secret()
    assert len(new_secret()) > MIN_SECRET_BYTES
