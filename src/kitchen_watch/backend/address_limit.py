"""How often one network address may ask."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from kitchen_watch.errors import Throttled

WINDOW = timedelta(minutes=1)
ONE_SUBSCRIBER = 64
"""Bits of an IPv6 address that name a line; the rest its owner may choose anew for every request."""


class AddressLimit:
    """What one network address asks in any minute, counted in this process; ``what`` names it."""

    def __init__(self, per_minute: int, *, what: str) -> None:
        self._item = RateLimitItemPerMinute(per_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._what = what

    def check(self, address: str) -> None:
        """Count one.

        Raises:
            Throttled: there were too many from this address.
        """
        if not self._limiter.hit(self._item, _counted(address)):
            raise Throttled(
                f"Too many {self._what} from this network address. Wait a minute and try again.",
                retry_after=WINDOW,
            )


def _counted(address: str) -> str:
    """What an address is counted as: itself, for IPv6 its /64."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if not isinstance(ip, IPv6Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ip_network((int(ip), ONE_SUBSCRIBER), strict=False))
