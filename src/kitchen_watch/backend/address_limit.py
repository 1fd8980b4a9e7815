"""How often one network address may ask."""

from __future__ import annotations

import math
import threading
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
REFUSED_FOR_S = 1.0
ASKED_A_MINUTE = 30
"""So often a process asks the database for one busy address, where it may ask for several at a time."""
REMEMBERED = 20_000
"""Addresses that one process keeps in mind."""
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

    With ``at_a_time`` above one a process asks the database for so many at once and gives them out
    itself until the minute ends: what it does not need may be missing to another one, never more. An
    address that was refused is refused for a second without asking anew.
    """

    def __init__(
        self, database: Database, clock: Clock, per_minute: int, *, what: str, at_a_time: int = 1
    ) -> None:
        self._database = database
        self._clock = clock
        self._per_minute = per_minute
        self._what = what
        self._alone = AddressLimit(per_minute, what=what)
        self._at_a_time = at_a_time
        self._mine = threading.Lock()
        self._ahead: dict[str, tuple[int, int]] = {}
        """By address: the minute, and how many of it are ours to give out."""
        self._refused: dict[str, float] = {}
        """By address: until when it is refused without asking."""

    def check(self, address: str) -> None:
        """Count one.

        Raises:
            Throttled: there were too many from this address.
        """
        if self._database.is_sqlite:
            self._alone.check(address)
            return
        counted = f"{self._what}/{_counted(address)}"[:64]
        now = self._clock.now().timestamp()
        if self._at_a_time == 1:
            self._take(counted, now)
            return
        minute = int(now // 60)
        with self._mine:
            of, left = self._ahead.get(counted, (minute, 0))
            if of == minute and left > 0:
                self._ahead[counted] = (minute, left - 1)
                return
            if self._refused.get(counted, 0.0) > now:
                raise _too_many(self._what)
        try:
            taken = self._take(counted, now)
        except Throttled:
            with self._mine:
                self._forget(now)
                self._refused[counted] = now + REFUSED_FOR_S
            raise
        with self._mine:
            self._forget(now)
            of, left = self._ahead.get(counted, (minute, 0))
            self._ahead[counted] = (minute, (left if of == minute else 0) + taken - 1)

    def _forget(self, now: float) -> None:
        """Keep no more addresses than come in a minute; what is dropped is asked for anew."""
        if len(self._ahead) + len(self._refused) > REMEMBERED:
            minute = int(now // 60)
            self._ahead = {key: one for key, one in self._ahead.items() if one[0] == minute}
            self._refused = {key: until for key, until in self._refused.items() if until > now}
        if len(self._ahead) + len(self._refused) > REMEMBERED:
            self._ahead.clear()
            self._refused.clear()

    def _take(self, counted: str, at: float) -> int:
        """Count as many as are asked for at a time, or those that are left; how many these are.

        Raises:
            Throttled: none is left.
        """
        minute, second = divmod(at, 60)
        with self._database.write() as session:
            exclusive(session, f"address/{counted}")
            before = session.get(AddressCountRow, (counted, int(minute) - 1))
            now = session.get(AddressCountRow, (counted, int(minute)))
            lately = (1 - second / 60) * before.count if before is not None else 0.0
            left = self._per_minute - lately - (now.count if now is not None else 0)
            if left <= 0:
                raise _too_many(self._what)
            taken = min(self._at_a_time, math.ceil(left))
            if now is None:
                session.execute(delete(AddressCountRow).where(AddressCountRow.minute < int(minute) - 1))
                session.add(AddressCountRow(counted=counted, minute=int(minute), count=taken))
            else:
                now.count += taken
        return taken


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
