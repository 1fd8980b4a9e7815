"""Who is counted as one: an address; of IPv6 the whole line, which has more of them than can be counted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kitchen_watch.backend.address_limit import AddressLimit, SharedAddressLimit
from kitchen_watch.backend.database import Database
from kitchen_watch.clock import ManualClock
from kitchen_watch.errors import Throttled
from tests.backend.support import NOON


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:1:2:3", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.7", "192.0.2.8", False),
        ("192.0.2.7", "::ffff:192.0.2.7", True),
        ("::ffff:192.0.2.7", "::ffff:192.0.2.8", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("testclient", "testclient", True),
    ],
)
def test_who_shares_a_limit(first: str, second: str, same: bool) -> None:
    limit = AddressLimit(1, what="requests")
    limit.check(first)
    if same:
        with pytest.raises(Throttled):
            limit.check(second)
    else:
        limit.check(second)


@pytest.mark.postgres
@pytest.mark.parametrize("at_a_time", [1, 10])
def test_several_processes_let_a_guest_have_no_more_than_one_would(postgres_url: str, at_a_time: int) -> None:
    database, clock = Database(postgres_url), ManualClock(NOON)
    processes = [
        SharedAddressLimit(database, clock, 60, what="requests", at_a_time=at_a_time) for _ in range(3)
    ]

    def given(address: str, number: int = 100) -> int:
        count = 0
        for turn in range(number):
            try:
                processes[turn % 3].check(address)
            except Throttled:
                continue
            count += 1
        return count

    try:
        assert given("192.0.2.7") == 60
        assert given("192.0.2.7", 6) == 0  # refused without asking, too
        assert given("192.0.2.8", 6) == 6  # somebody else
        clock.advance(timedelta(seconds=150))  # within the next but one: nothing counts any more
        assert given("192.0.2.7") == 60
        clock.advance(timedelta(seconds=45))  # a quarter into the next minute: three quarters still count
        assert given("192.0.2.7") == 15
    finally:
        database.close()
