"""Log in, log out, change the password: what routes and pages call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kitchen_watch.backend.address_limit import SharedAddressLimit
from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.auth.attempts import attempt_succeeded, begin_attempt
from kitchen_watch.backend.auth.passwords import check_new_password, hash_password, password_matches
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.sessions import (
    OpenedSession,
    SessionTimes,
    close_session,
    close_sessions_of,
    open_session,
    token_hash,
)
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.database import Database
from kitchen_watch.backend.settings import BackendSettings
from kitchen_watch.clock import Clock
from kitchen_watch.errors import InvalidRequest, NotAuthenticated

LOCALES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where a request comes from."""

    address: str
    user_agent: str = ""


class Login:
    """The door: one per process."""

    def __init__(self, database: Database, settings: BackendSettings, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._addresses = SharedAddressLimit(
            database, clock, settings.logins_per_minute, what="login attempts"
        )
        self._allowed = settings.failures_before_lock
        self._lock = settings.lock_duration
        self.times = SessionTimes(idle=settings.session_idle, lifetime=settings.session_lifetime)

    def log_in(
        self, username: str, password: str, visitor: Visitor, *, old_token: str | None = None
    ) -> OpenedSession:
        """Open a session for the right password; a session the browser still had is ended.

        Raises:
            Throttled: too many attempts from this address.
            LockedOut: too many wrong passwords for this login; has ``until``.
            NotAuthenticated: login name or password is wrong.
        """
        self._addresses.check(visitor.address)
        now = self._clock.now()
        with self._database.write() as session:
            begin_attempt(session, username, now=now, allowed=self._allowed, lock=self._lock)
        with self._database.read() as session:
            row = find_by_username(session, username)
        right = password_matches(password, row.password_hash if row is not None else None)
        with self._database.write() as session:
            if row is None or not right or row.disabled:
                self._refuse(session, row, username, visitor, now)
                refused = True
            else:
                attempt_succeeded(session, username)
                if old_token is not None:
                    close_session(session, token_hash(old_token))
                opened = self._open(session, row, visitor, now)
                record(session, Actor(row.id, visitor.address), "login", at=now)
                refused = False
        if refused:
            raise NotAuthenticated("The login name or the password is wrong.")
        return opened

    def log_out(self, person: Person, visitor: Visitor) -> None:
        """End the session the person is using."""
        with self._database.write() as session:
            close_session(session, person.session_key)
            record(session, Actor(person.id, visitor.address), "logout", at=self._clock.now())

    def change_password(self, person: Person, old: str, new: str, visitor: Visitor) -> OpenedSession:
        """Replace the password; every other session ends and this one gets a new token.

        Raises:
            LockedOut: too many wrong passwords for this login; has ``until``.
            InvalidRequest: the old password is wrong, or the new one not good enough, and why.
        """
        now = self._clock.now()
        check_new_password(new, username=person.username, old=old)
        with self._database.write() as session:
            begin_attempt(session, person.username, now=now, allowed=self._allowed, lock=self._lock)
        with self._database.read() as session:
            row = session.get_one(PersonRow, person.id)
        if not password_matches(old, row.password_hash):
            raise InvalidRequest("The present password is wrong.")
        new_hash = hash_password(new)
        with self._database.write() as session:
            attempt_succeeded(session, person.username)
            row = session.get_one(PersonRow, person.id)
            row.password_hash = new_hash
            row.must_change_password = False
            close_sessions_of(session, row.id)
            record(session, Actor(row.id, visitor.address), "password_changed", at=now)
            return self._open(session, row, visitor, now)

    def set_locale(self, person: Person, locale: str) -> None:
        """Remember the language a person reads.

        Raises:
            InvalidRequest: it is not one of ``zh`` and ``en``.
        """
        if locale not in LOCALES:
            raise InvalidRequest(f"The language {locale} is not offered; choose one of {', '.join(LOCALES)}.")
        with self._database.write() as session:
            session.execute(update(PersonRow).where(PersonRow.id == person.id).values(locale=locale))

    def _open(self, session: Session, row: PersonRow, visitor: Visitor, now: datetime) -> OpenedSession:
        return open_session(
            session, row, address=visitor.address, user_agent=visitor.user_agent, now=now, times=self.times
        )

    @staticmethod
    def _refuse(
        session: Session, row: PersonRow | None, username: str, visitor: Visitor, now: datetime
    ) -> None:
        # A mistyped name may be a password typed into the wrong field: only known names are kept.
        record(
            session,
            Actor(row.id if row is not None else None, visitor.address),
            "login_failed",
            at=now,
            known_name=row is not None,
            name_length=len(username),
        )


def find_by_username(session: Session, username: str) -> PersonRow | None:
    """The login of that name; upper and lower case are the same (stored in lower case)."""
    return session.scalars(
        select(PersonRow).where(PersonRow.username == username.strip().lower())
    ).one_or_none()
