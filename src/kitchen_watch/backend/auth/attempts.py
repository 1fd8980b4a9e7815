"""How often somebody may try to log in with one login name."""

from __future__ import annotations

import hashlib
import math
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.tables import LoginFailureRow
from kitchen_watch.errors import LockedOut

FORGET_AFTER = timedelta(days=1)


def begin_attempt(session: Session, username: str, *, now: datetime, allowed: int, lock: timedelta) -> None:
    """Count an attempt as failed before the password is looked at, so that parallel guesses count too.

    Login names that do not exist are counted alike: a lock tells nobody which names are real.

    Raises:
        LockedOut: too many wrong passwords; says until when.
    """
    session.execute(delete(LoginFailureRow).where(LoginFailureRow.last_at < now - max(lock, FORGET_AFTER)))
    key = _name_key(username)
    row = session.get(LoginFailureRow, key, with_for_update=True)
    if row is None:
        row = LoginFailureRow(name_hash=key, failures=0, last_at=now, locked_until=None)
        session.add(row)
    if row.locked_until is not None and now < row.locked_until:
        raise _locked(row.locked_until, now)
    if row.locked_until is not None or now - row.last_at > lock:
        row.failures, row.locked_until = 0, None
    row.failures += 1
    row.last_at = now
    if row.failures >= allowed:
        row.locked_until = now + lock


def attempt_succeeded(session: Session, username: str) -> None:
    """Forget the failures: the password was right."""
    session.execute(delete(LoginFailureRow).where(LoginFailureRow.name_hash == _name_key(username)))


def _locked(until: datetime, now: datetime) -> LockedOut:
    wait = until - now
    minutes = max(1, math.ceil(wait.total_seconds() / 60))
    return LockedOut(
        f"Too many wrong passwords: this login is locked for {minutes} more minute(s).",
        retry_after=wait,
        until=until,
    )


def _name_key(username: str) -> str:
    return hashlib.sha256(username.strip().lower().encode()).hexdigest()
