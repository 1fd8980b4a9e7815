"""Reminds restaurants of self-checks that are not handed in yet, each once (ARCHITECTURE, decision 8)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.roles import Role
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.database import Database, exclusive
from kitchen_watch.backend.looking import Looking
from kitchen_watch.backend.notifications.rules import Occasion, Subject
from kitchen_watch.backend.notifications.telling import News, Teller
from kitchen_watch.backend.organisations.tables import NodeRow, PremisesRow
from kitchen_watch.backend.self_checks.calendar import Slot
from kitchen_watch.backend.self_checks.due import closed_days, due_slots, handed_in, premises_asked
from kitchen_watch.backend.self_checks.settings import SelfCheckSettings
from kitchen_watch.backend.self_checks.tables import SelfCheckReminderRow
from kitchen_watch.clock import Clock

BATCH = 200
LOCK = "self-check-reminders"


class SelfCheckTimer:
    """Looks now and then whose self-check is due soon."""

    def __init__(
        self, database: Database, clock: Clock, settings: SelfCheckSettings, *, teller: Teller
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._teller = teller

    def looking(self) -> Looking:
        """The loop that makes this process look."""
        return Looking("self-checks", self.look, every_s=self._settings.look_every_s)

    def look(self) -> int:
        """Remind of everything that is due soon and was not reminded of; returns how many reminders."""
        now = self._clock.now()
        with self._database.read() as session:
            wanted = self._wanted(session, now)
        reminded = 0
        for first in range(0, len(wanted), BATCH):
            with self._database.write() as session:
                exclusive(session, LOCK)
                reminded += self._remind(session, wanted[first : first + BATCH], now)
        return reminded

    def _wanted(self, session: Session, now: datetime) -> list[tuple[int, Slot]]:
        until_at = now + self._settings.remind_before
        chosen = PremisesRow.active.is_(True)
        ids = select(PremisesRow.id).where(chosen)
        asked = premises_asked(session, chosen)
        soon = due_slots(asked, closed_days(session, ids, now, until_at), self._settings.kinds, now, until_at)
        pairs = [(one.premises_id, slot) for one, slots in soon for slot in slots]
        if not pairs:
            return []
        came = handed_in(session, ids, now, until_at)
        known = _reminded(session, {slot.period for _, slot in pairs})
        return [
            (premises_id, slot)
            for premises_id, slot in pairs
            if (premises_id, slot.kind, slot.period) not in came
            and (premises_id, slot.kind, slot.period) not in known
        ]

    def _remind(self, session: Session, wanted: list[tuple[int, Slot]], now: datetime) -> int:
        # Another process may have been faster: under the lock it is asked once more.
        known = _reminded(session, {slot.period for _, slot in wanted})
        ids = {premises_id for premises_id, _ in wanted}
        names: dict[int, str] = {}
        paths: dict[int, str] = {}
        for premises_id, name, path in session.execute(
            select(PremisesRow.id, PremisesRow.name, NodeRow.path)
            .join(NodeRow, NodeRow.id == PremisesRow.node_id)
            .where(PremisesRow.id.in_(ids))
        ):
            names[premises_id], paths[premises_id] = name, path
        count = 0
        for premises_id, slot in wanted:
            if (premises_id, slot.kind, slot.period) in known:
                continue
            session.add(
                SelfCheckReminderRow(premises_id=premises_id, kind=slot.kind, period=slot.period, at=now)
            )
            news = News(
                source=f"self-check/{premises_id}/{slot.kind.value}/{slot.period}",
                occasion=Occasion.SELF_CHECK,
                about=f"{names[premises_id]} · {slot.period}",
                page="self-checks",
                subject=Subject.SELF_CHECK,
                subject_id=premises_id,
                node_path=paths[premises_id],
            )
            self._teller.tell(session, _people(session, premises_id), news, now=now)
            count += 1
        session.flush()
        return count


def _reminded(session: Session, periods: Iterable[str]) -> set[tuple[int, str, str]]:
    rows = session.execute(
        select(
            SelfCheckReminderRow.premises_id, SelfCheckReminderRow.kind, SelfCheckReminderRow.period
        ).where(SelfCheckReminderRow.period.in_(set(periods)))
    )
    return {(premises_id, kind, period) for premises_id, kind, period in rows}


def _people(session: Session, premises_id: int) -> list[int]:
    return list(
        session.scalars(
            select(PersonRow.id).where(
                PersonRow.premises_id == premises_id,
                PersonRow.role.in_((Role.PREMISES_MANAGER, Role.PREMISES_STAFF)),
                PersonRow.disabled.is_(False),
            )
        )
    )
