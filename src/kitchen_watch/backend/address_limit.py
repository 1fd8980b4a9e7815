"""How often one network address may ask."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from sqlalchemy import delete

from kitchen_watch.backend.auth.tables import AddressCountRow
from kitchen_watch.backend.database import Database, exclusive
from kitchen_watch.clock import Clock
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
            raise _too_many(self._what)


class SharedAddressLimit:
    """The same, counted in PostgreSQL by all processes together; on SQLite there is one process.

    The window slides over two minutes of the clock: of the one before, as large a share counts as lies
    within the last sixty seconds. What was refused does not count.
    """

    def __init__(self, database: Database, clock: Clock, per_minute: int, *, what: str) -> None:
        self._database = database
        self._clock = clock
        self._per_minute = per_minute
        self._what = what
        self._alone = AddressLimit(per_minute, what=what)

    def check(self, address: str) -> None:
        """Count one.

        Raises:
            Throttled: there were too many from this address.
        """
        if self._database.is_sqlite:
            self._alone.check(address)
            return
        counted = f"{self._what}/{_counted(address)}"[:64]
        minute, second = divmod(self._clock.now().timestamp(), 60)
        with self._database.write() as session:
            exclusive(session, f"address/{counted}")
            before = session.get(AddressCountRow, (counted, int(minute) - 1))
            now = session.get(AddressCountRow, (counted, int(minute)))
            lately = (1 - second / 60) * before.count if before is not None else 0.0
            if lately + (now.count if now is not None else 0) >= self._per_minute:
                raise _too_many(self._what)
            if now is None:
                session.execute(delete(AddressCountRow).where(AddressCountRow.minute < int(minute) - 1))
                session.add(AddressCountRow(counted=counted, minute=int(minute), count=1))
            else:
                now.count += 1


def _too_many(what: str) -> Throttled:
    return Throttled(
        f"Too many {what} from this network address. Wait a minute and try again.", retry_after=WINDOW
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
