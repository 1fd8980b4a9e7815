"""How often strangers may ask, per network address."""

from __future__ import annotations

from datetime import timedelta

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from kitchen_watch.errors import Throttled


class PublicLimit:
    """Public requests of one network address in any minute, counted in this process."""

    def __init__(self, per_minute: int) -> None:
        self._item = RateLimitItemPerMinute(per_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def check(self, address: str) -> None:
        """Count one request.

        Raises:
            Throttled: there were too many from this address.
        """
        if not self._limiter.hit(self._item, address):
            raise Throttled(
                "Too many requests from this network address. Wait a minute and try again.",
                retry_after=timedelta(minutes=1),
            )
