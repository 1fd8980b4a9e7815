"""Edges prove who they are with every request; what they cannot prove is not looked at."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import websockets
from pydantic import SecretStr
from sqlalchemy import select
from websockets.asyncio.client import connect

from kitchen_watch.backend.auth.vault import Vault
from kitchen_watch.backend.organisations.tables import EdgeRow
from kitchen_watch.errors import ConfigError
from kitchen_watch.signing import new_secret, sign
from tests.backend.stories import body_of, opening
from tests.backend.support import EDGE_SECRETS, Backend

EVENTS = "/api/v1/edge/events"
CONTROL = "/api/v1/edge/control"


def signature(
    body: bytes, *, edge_id: str = "edge-1", secret: str | None = None, target: str = EVENTS, late: float = 0
) -> dict[str, str]:
    return sign(
        secret or EDGE_SECRETS[edge_id],
        edge_id=edge_id,
        method="POST",
        target=target,
        body=body,
        at=datetime.now(UTC) - timedelta(seconds=late),
    )


def test_what_is_not_rightly_signed_is_refused_alike(backend: Backend) -> None:
    body = body_of([opening()])
    wrong = {
        "no signature": {},
        "another edge's secret": signature(body, secret=EDGE_SECRETS["edge-2"]),
        "another body": signature(b"{}"),
        "another route": signature(body, target="/api/v1/edge/evidence"),
        "too old": signature(body, late=400),
        "from the future": signature(body, late=-400),
        "unknown edge": signature(body, secret=new_secret()) | {"kw-edge-id": "edge-9"},
    }
    for what, headers in wrong.items():
        answer = backend.client().post(EVENTS, content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated"), what
        assert "kw-server-time" in answer.headers
    good = backend.client().post(EVENTS, content=body, headers=signature(body))
    assert good.status_code == 200


def test_a_disabled_edge_is_refused(backend: Backend) -> None:
    with backend.parts.database.write() as session:
        session.get_one(EdgeRow, "edge-1").enabled = False
    assert backend.signed("POST", EVENTS, body=body_of([opening()])).status_code == 401


def test_a_body_beyond_any_reason_is_refused(backend: Backend) -> None:
    answer = backend.signed("POST", EVENTS, body=b"x" * (8 * 1024 * 1024 + 1))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_a_persons_session_opens_no_edge_route(backend: Backend) -> None:
    assert backend.logged_in("admin").post(EVENTS, content=body_of([opening()])).status_code == 401


def test_secrets_are_not_readable_in_the_database(backend: Backend) -> None:
    with backend.parts.database.read() as session:
        rows = list(session.scalars(select(EdgeRow)))
    for row in rows:
        assert EDGE_SECRETS[row.edge_id] not in row.sealed_secret
        assert EDGE_SECRETS[row.edge_id] not in repr(row)
    database = Path(backend.parts.settings.data_dir) / "backend.sqlite3"
    assert EDGE_SECRETS["edge-1"].encode() not in database.read_bytes()


def test_secrets_cannot_be_opened_with_another_key() -> None:
    sealed = Vault(b"one key").seal(SecretStr("whsec_secret"))
    assert Vault(b"one key").open(sealed) == SecretStr("whsec_secret")
    with pytest.raises(ConfigError, match=r"Restore the old secret\.key"):
        Vault(b"another key").open(sealed)


def test_a_signed_connection_request_is_honoured_once(backend: Backend) -> None:
    headers = sign(
        EDGE_SECRETS["edge-1"], edge_id="edge-1", method="GET", target=CONTROL, body=b"", at=datetime.now(UTC)
    )
    url = backend.url.replace("http://", "ws://") + CONTROL

    async def twice() -> int:
        async with connect(url, additional_headers=headers, proxy=None):
            pass
        with pytest.raises(websockets.InvalidStatus) as refusal:
            async with connect(url, additional_headers=headers, proxy=None):
                pass
        assert "kw-server-time" in refusal.value.response.headers
        return refusal.value.response.status_code

    assert asyncio.run(twice()) == 401
