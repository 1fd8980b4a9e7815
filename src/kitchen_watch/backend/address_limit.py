"""How often one network address may ask."""

from __future__ import annotations

from datetime import timedelta

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from kitchen_watch.errors import Throttled

WINDOW = timedelta(minutes=1)


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
        if not self._limiter.hit(self._item, address):
            raise Throttled(
                f"Too many {self._what} from this network address. Wait a minute and try again.",
                retry_after=WINDOW,
            )
