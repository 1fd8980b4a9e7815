"""Who is counted as one: an address; of IPv6 the whole line, which has more of them than can be counted."""

from __future__ import annotations

import pytest

from kitchen_watch.backend.address_limit import AddressLimit
from kitchen_watch.errors import Throttled


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
