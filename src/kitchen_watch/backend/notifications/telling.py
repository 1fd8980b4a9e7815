"""Tell people of what is about no alert: a complaint, a task, the disk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.roles import Role
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.notifications.outside import Carried, Outside
from kitchen_watch.backend.notifications.rules import Occasion, Subject
from kitchen_watch.backend.notifications.tables import NotificationRow, PreferencesRow
from kitchen_watch.backend.organisations.places import node_ids
from kitchen_watch.backend.organisations.tables import NodeRow

TIER = 2
"""The urgency with which such things are told; muting is heeded."""


@dataclass(frozen=True, slots=True)
class News:
    """One thing to tell. ``source`` names it for good; ``page`` is where it is shown (no leading slash).

    ``node_path`` says in which part of the tree, so that its groups hear of it; "/" is the whole.
    """

    source: str
    occasion: Occasion
    about: str
    page: str
    subject: Subject
    subject_id: int | None = None
    node_path: str = "/"


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells people of news: in the application, and by e-mail and in chats where they want that.

    ``zone``: of the quiet hours.
    """

    outside: Outside
    public_url: str
    zone: ZoneInfo

    def tell(self, session: Session, person_ids: Iterable[int], news: News, *, now: datetime) -> int:
        """Store it for each of them who has not been told and has not muted it; how many were told."""
        told = 0
        facts: dict[str, Any] = {
            "about": news.about,
            "page": news.page,
            "url": f"{self.public_url}/{news.page}",
            "subject_kind": news.subject.value,
            "subject_id": news.subject_id,
        }
        lane = f"{news.subject.value}{news.subject_id or ''}"
        carried = Carried(news.source, lane, news.occasion, TIER, facts, now, self.zone)
        people = session.scalars(
            select(PersonRow)
            .where(PersonRow.id.in_(set(person_ids)), PersonRow.disabled.is_(False))
            .order_by(PersonRow.id)
        )
        for person in list(people):
            known = select(NotificationRow.id).where(
                NotificationRow.person_id == person.id, NotificationRow.source == news.source
            )
            preferences = session.get(PreferencesRow, person.id)
            muted = preferences is not None and news.occasion.value in preferences.muted
            if muted or session.scalar(known) is not None:
                continue
            session.add(
                NotificationRow(
                    person_id=person.id,
                    source=news.source,
                    occasion=news.occasion,
                    subject_kind=news.subject,
                    subject_id=news.subject_id,
                    tier=TIER,
                    suspected=False,
                    facts=facts,
                    at=now,
                )
            )
            self.outside.mail(session, person, preferences, carried, now)
            told += 1
        self.outside.groups(session, news.node_path, carried, now)
        session.flush()
        return told


def administrators(session: Session) -> list[int]:
    """Whoever runs the service."""
    return list(
        session.scalars(
            select(PersonRow.id).where(PersonRow.role == Role.ADMIN, PersonRow.disabled.is_(False))
        )
    )


def officers_of(session: Session, node_id: int) -> list[int]:
    """The grid officers of a node; where it has none, of the nearest node above that has some."""
    path = session.get_one(NodeRow, node_id).path
    for above in reversed(node_ids(path)):
        found = list(
            session.scalars(
                select(PersonRow.id)
                .where(
                    PersonRow.node_id == above,
                    PersonRow.role == Role.GRID_OFFICER,
                    PersonRow.disabled.is_(False),
                )
                .order_by(PersonRow.id)
            )
        )
        if found:
            return found
    return []
