"""Server-side sessions: begun at login, found by their token's hash, ended by time or by a person."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from kitchen_watch.backend import notices
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.tables import PersonRow, WebSessionRow
from kitchen_watch.backend.database import Database, announce
from kitchen_watch.backend.organisations.scope import scope_name, scope_of

TOUCH_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class SessionTimes:
    """How long a session may lie unused, and how long it may last at all."""

    idle: timedelta
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A new session; ``token`` is told once, to its browser."""

    token: str = field(repr=False)
    person: Person


def token_hash(token: str) -> str:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def open_session(
    session: Session, row: PersonRow, *, address: str, user_agent: str, now: datetime, times: SessionTimes
) -> OpenedSession:
    """Begin a session with a fresh token; sessions that are over are swept away."""
    _sweep(session, now, times)
    token = secrets.token_urlsafe(32)
    web_session = WebSessionRow(
        token_hash=token_hash(token),
        person_id=row.id,
        csrf_token=secrets.token_urlsafe(32),
        created_at=now,
        last_seen_at=now,
        expires_at=now + times.lifetime,
        address=address[:64],
        user_agent=user_agent[:200],
    )
    session.add(web_session)
    return OpenedSession(token, _person(session, row, web_session))


def find_person(database: Database, token: str, *, now: datetime, times: SessionTimes) -> Person | None:
    """Who this token belongs to, or ``None`` if its session is over; notes that it was used."""
    key = token_hash(token)
    with database.read() as session:
        found = session.execute(
            select(WebSessionRow, PersonRow)
            .join(PersonRow, PersonRow.id == WebSessionRow.person_id)
            .where(WebSessionRow.token_hash == key, PersonRow.disabled.is_(False))
        ).one_or_none()
        if found is None or not _alive(found[0], now, times):
            return None
        web_session, row = found
        person = _person(session, row, web_session)
        last_seen_at = web_session.last_seen_at
    if now - last_seen_at >= TOUCH_EVERY:
        with database.write() as session:
            session.execute(
                update(WebSessionRow).where(WebSessionRow.token_hash == key).values(last_seen_at=now)
            )
    return person


def live_keys(session: Session, keys: set[str], *, now: datetime, times: SessionTimes) -> set[str]:
    """Those of the session keys whose sessions are not over."""
    rows = session.scalars(
        select(WebSessionRow)
        .join(PersonRow, PersonRow.id == WebSessionRow.person_id)
        .where(WebSessionRow.token_hash.in_(keys), PersonRow.disabled.is_(False))
    )
    return {row.token_hash for row in rows if _alive(row, now, times)}


def close_session(session: Session, key: str) -> None:
    """End one session; its open streams end with it."""
    session.execute(delete(WebSessionRow).where(WebSessionRow.token_hash == key))
    announce(session, notices.SESSIONS)


def close_sessions_of(session: Session, person_id: int) -> None:
    """End every session of a person: after a change of password, role or place."""
    session.execute(delete(WebSessionRow).where(WebSessionRow.person_id == person_id))
    announce(session, notices.SESSIONS)


def _alive(row: WebSessionRow, now: datetime, times: SessionTimes) -> bool:
    return now < row.expires_at and now - row.last_seen_at < times.idle


def _sweep(session: Session, now: datetime, times: SessionTimes) -> None:
    session.execute(
        delete(WebSessionRow).where(
            or_(WebSessionRow.expires_at <= now, WebSessionRow.last_seen_at <= now - times.idle)
        )
    )


def _person(session: Session, row: PersonRow, web_session: WebSessionRow) -> Person:
    return Person(
        id=row.id,
        username=row.username,
        display_name=row.display_name,
        role=row.role,
        scope=scope_of(session, row),
        scope_name=scope_name(session, row),
        premises_id=row.premises_id,
        node_id=row.node_id,
        locale=row.locale,
        must_change_password=row.must_change_password,
        session_key=web_session.token_hash,
        csrf_token=web_session.csrf_token,
    )
