"""One owner per edge at any time, by the database's clock."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from kitchen_watch.clock import ManualClock
from kitchen_watch.edge.ownership.database import SETTINGS, connect, plain
from kitchen_watch.edge.ownership.leases import Lease, Leases, check
from kitchen_watch.edge.ownership.renewing import Renewal
from kitchen_watch.errors import LeaseHeld, LeaseLost, LeasesUnreachable
from tests.support import need

need("psycopg", why="the driver of PostgreSQL; the extra [postgres] brings it")

import psycopg  # noqa: E402

pytestmark = pytest.mark.postgres
AGO = timedelta(seconds=-1)
"""A term that is over when it begins."""


@pytest.fixture
def leases(cluster_database: SecretStr) -> Leases:
    return Leases(cluster_database)


def transaction(url: SecretStr, lease: Lease) -> Any:
    connection = connect(url)
    connection.execute("BEGIN")
    try:
        check(connection, lease)
    except LeaseLost:
        connection.close()
        raise
    return connection


def test_a_lease_is_held_by_one_owner_only(leases: Leases) -> None:
    first = leases.acquire("edge-1", "node-a")
    with pytest.raises(LeaseHeld, match="run by node-a") as refusal:
        leases.acquire("edge-1", "node-b")
    assert (refusal.value.owner, refusal.value.until) == ("node-a", first.until)
    assert leases.acquire("edge-2", "node-b").token == 1  # another edge's is its own
    assert [(lease.edge_id, lease.owner) for lease in leases.present()] == [
        ("edge-1", "node-a"), ("edge-2", "node-b"),
    ]  # fmt: skip


def test_every_owner_gets_a_higher_token_also_the_same_one_again(leases: Leases) -> None:
    tokens = [leases.acquire("edge-1", "node-a", term=AGO).token]
    tokens.append(leases.acquire("edge-1", "node-b", term=AGO).token)
    tokens.append(leases.acquire("edge-1", "node-b").token)
    tokens.append(leases.acquire("edge-1", "node-a", takeover=True).token)
    assert tokens == [1, 2, 3, 4]


def test_a_lease_given_back_is_free_at_once_and_its_token_is_not_given_again(leases: Leases) -> None:
    leases.release(leases.acquire("edge-1", "node-a"))
    assert leases.present() == []
    assert leases.acquire("edge-1", "node-b").token == 2


def test_who_was_replaced_can_neither_renew_nor_give_away_what_is_not_its_own(leases: Leases) -> None:
    old = leases.acquire("edge-1", "node-a", term=AGO)
    new = leases.acquire("edge-1", "node-b")
    with pytest.raises(LeaseLost, match="taken over by node-b with token 2; node-a with token 1"):
        leases.renew(old)
    leases.release(old)
    assert [lease.token for lease in leases.present()] == [new.token]


def test_a_lease_that_ran_out_may_be_renewed_while_nobody_has_taken_it(leases: Leases) -> None:
    late = leases.acquire("edge-1", "node-a", term=AGO)
    renewed = leases.renew(late)
    assert renewed.token == late.token
    assert renewed.until > late.until
    with pytest.raises(LeaseHeld):
        leases.acquire("edge-1", "node-b")


def test_of_many_who_want_it_at_once_one_gets_it(leases: Leases) -> None:
    got: list[Lease] = []

    def attempt(name: str) -> None:
        with contextlib.suppress(LeaseHeld):
            got.append(leases.acquire("edge-1", name))

    threads = [threading.Thread(target=attempt, args=(f"node-{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [lease.token for lease in got] == [1]


def test_a_transaction_of_the_owner_ends_before_another_takes_over(
    leases: Leases, cluster_database: SecretStr
) -> None:
    old = leases.acquire("edge-1", "node-a")
    writing = transaction(cluster_database, old)
    taken: list[Lease] = []
    taking = threading.Thread(target=lambda: taken.append(leases.acquire("edge-1", "node-b", takeover=True)))
    taking.start()
    taking.join(0.2)
    assert taken == []  # it waits for what the owner has begun
    writing.execute("COMMIT")
    writing.close()
    taking.join()
    assert taken[0].token == old.token + 1
    with pytest.raises(LeaseLost):
        transaction(cluster_database, old)
    transaction(cluster_database, taken[0]).close()


def test_an_owner_that_was_stopped_in_a_transaction_holds_nobody_up_for_long(
    leases: Leases, cluster_database: SecretStr, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert dict(SETTINGS)["idle_in_transaction_session_timeout"] == "5s"
    monkeypatch.setattr(
        "kitchen_watch.edge.ownership.database.SETTINGS",
        (("idle_in_transaction_session_timeout", "200ms"),),
    )
    stopped = transaction(cluster_database, leases.acquire("edge-1", "node-a"))
    assert leases.acquire("edge-1", "node-b", takeover=True).token == 2
    with pytest.raises(psycopg.Error):
        stopped.execute("COMMIT")
    stopped.close()


async def test_a_renewal_goes_on_without_the_database_and_ends_when_the_lease_is_lost(
    leases: Leases, cluster_database: SecretStr, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewal = Renewal(leases, leases.acquire("edge-1", "node-a"), clock=ManualClock(datetime.now(UTC)))
    with monkeypatch.context() as away:
        away.setattr(leases, "_url", SecretStr("postgresql://nobody:hidden-word@127.0.0.1:9/none"))
        await renewal.renew()
        assert renewal.trouble is not None
        assert "hidden-word" not in renewal.trouble
    await renewal.renew()
    assert renewal.trouble is None
    await asyncio.to_thread(leases.acquire, "edge-1", "node-b", takeover=True)
    with pytest.raises(LeaseLost):
        await renewal.renew()
    await renewal.release()
    assert [lease.owner for lease in leases.present()] == ["node-b"]


def test_without_a_database_nobody_becomes_owner() -> None:
    with pytest.raises(LeasesUnreachable, match="cannot be read or written"):
        Leases(SecretStr("postgresql://127.0.0.1:9/none")).acquire("edge-1", "node-a")


def test_a_device_clock_decides_nothing(leases: Leases, cluster_database: SecretStr) -> None:
    with psycopg.connect(plain(cluster_database)) as connection:
        row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    lease = leases.acquire("edge-1", "node-a", term=timedelta(seconds=60))
    assert timedelta(seconds=55) < lease.until - row[0] < timedelta(seconds=65)
