"""An edge whose owner changes: whoever was replaced is not believed any more, by whatever way it comes."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import websockets
from pydantic import SecretStr

from kitchen_watch.backend.auth.fencing import admit
from kitchen_watch.backend.edges.tables import EdgeStateRow
from kitchen_watch.backend.organisations.seed import EdgeSpec, _Seeding
from kitchen_watch.backend.organisations.tables import EdgeRow
from kitchen_watch.control import OWNER_REPLACED, Heartbeat
from kitchen_watch.errors import Fenced
from kitchen_watch.signing import FENCING_HEADER, new_secret
from tests.backend.edges.test_control import connected
from tests.backend.stories import body_of, opening
from tests.backend.support import NOON, Backend

EVENTS = "/api/v1/edge/events"


def deliver(backend: Backend, token: int | None) -> tuple[int, str]:
    answer = backend.signed("POST", EVENTS, body=body_of([opening()]), fencing_token=token)
    body = answer.json()
    return answer.status_code, body.get("code") or body["results"][0]["verdict"]


def highest(backend: Backend, edge_id: str = "edge-1") -> int | None:
    with backend.parts.database.read() as session:
        return session.get_one(EdgeRow, edge_id).fencing_token


def test_an_edge_without_a_token_works_as_ever(any_backend: Backend) -> None:
    assert deliver(any_backend, None) == (200, "accepted")
    assert highest(any_backend) is None


def test_a_replaced_owner_cannot_raise_an_alert(any_backend: Backend) -> None:
    assert deliver(any_backend, 7) == (200, "accepted")
    assert deliver(any_backend, 8) == (200, "accepted")
    assert deliver(any_backend, 7) == (412, "fenced")
    assert deliver(any_backend, None) == (412, "fenced")
    assert deliver(any_backend, 8) == (200, "accepted")
    assert highest(any_backend) == 8
    assert highest(any_backend, "edge-2") is None


def test_the_refusal_names_the_tokens_and_says_what_to_do(backend: Backend) -> None:
    deliver(backend, 8)
    told = backend.signed("POST", EVENTS, body=body_of([opening()]), fencing_token=7).json()["detail"]
    assert "showed fencing token 8" in told
    assert "came with fencing token 7" in told
    assert "Stop this edge" in told


def test_evidence_of_a_replaced_owner_is_not_taken(backend: Backend) -> None:
    deliver(backend, 8)
    target = f"/api/v1/edge/evidence/{'a' * 64}"
    for method in ("GET", "PATCH"):
        headers = {"upload-offset": "0"}
        answer = backend.signed(method, target, headers=headers, fencing_token=7)
        assert (answer.status_code, answer.json()["code"]) == (412, "fenced")
        assert backend.signed(method, target, headers=headers, fencing_token=8).status_code == 404


@pytest.mark.parametrize("change", [{FENCING_HEADER: "9"}, {FENCING_HEADER: ""}])
def test_a_token_can_be_neither_exchanged_nor_left_out(backend: Backend, change: dict[str, str]) -> None:
    answer = backend.signed("POST", EVENTS, body=body_of([opening()]), headers=change, fencing_token=8)
    assert answer.status_code == 401
    assert highest(backend) is None


@pytest.mark.parametrize("token", [0, -3, 2**63])
def test_a_token_that_is_none_is_refused(backend: Backend, token: int) -> None:
    assert deliver(backend, token) == (401, "not_authenticated")


def test_a_request_under_way_while_another_takes_over_is_stopped_in_its_transaction(
    any_backend: Backend,
) -> None:
    deliver(any_backend, 7)
    with any_backend.parts.database.write() as session:
        admit(session, "edge-1", 8)
    with pytest.raises(Fenced), any_backend.parts.database.write() as session:
        admit(session, "edge-1", 7)  # it was let in before, when 7 was the highest


def test_a_new_secret_begins_anew(backend: Backend) -> None:
    deliver(backend, 8)
    parts = backend.parts
    with parts.database.write() as session:
        _Seeding(session, parts.vault, NOON, reissue=False).edge(
            EdgeSpec(edge_id="edge-1", secret=SecretStr(new_secret()))
        )
    assert highest(backend) is None


def test_a_replaced_owner_cannot_connect(backend: Backend) -> None:
    async def story() -> None:
        async with connected(backend, fencing_token=8) as edge:
            await edge.hello()
            for token in (7, None):
                with pytest.raises(websockets.InvalidStatus) as refusal:
                    async with connected(backend, fencing_token=token):
                        pass
                assert refusal.value.response.status_code == 412
                assert b'"code":"fenced"' in (refusal.value.response.body or b"")
            await edge.beat()  # the owner's own connection was left alone

    asyncio.run(story())


def test_a_connection_that_slept_through_a_takeover_is_closed_at_its_next_heartbeat(
    backend: Backend,
) -> None:
    async def story() -> None:
        async with connected(backend, fencing_token=7) as edge:
            await edge.hello()
            await edge.beat(outbox_pending=1)
            deliver(backend, 8)
            late = Heartbeat(sent_at=NOON - timedelta(seconds=1), outbox_pending=99)
            await edge.say(late)
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await edge.hear()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == OWNER_REPLACED

    asyncio.run(story())
    with backend.parts.database.read() as session:
        assert session.get_one(EdgeStateRow, "edge-1").outbox_pending == 1
