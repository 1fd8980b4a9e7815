"""What happened, as entries of the feed and the rows behind them tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.feed import FeedEntry
from kitchen_watch.backend.alerts.states import AlertState, FeedKind
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.handling.tables import TransitionRow
from kitchen_watch.backend.letters.issuing import notices_of
from kitchen_watch.backend.letters.tables import LetterAlertRow, LetterRow
from kitchen_watch.backend.notifications.rules import Telling, of_letter, of_notice, of_opening, of_step

STALE = timedelta(days=1)
"""What is older when it is read (after a long standstill) is in the lists, and rings no bell."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing to tell about an alert. ``source`` names it for good; ``by`` is who did it, if a person."""

    source: str
    telling: Telling
    alert: AlertRow
    node_path: str
    at: datetime
    suspected: bool
    by: int | None = None
    letter_id: int | None = None
    supervising_node: int | None = None
    level: int = 0


def happenings_of(session: Session, entries: Sequence[FeedEntry], *, now: datetime) -> list[Happening]:
    """Everything that is told of these entries, in their order, each once per ``source``."""
    fresh = [one for one in entries if one.message.at > now - STALE]
    wanted = [one for one in fresh if one.message.kind in {FeedKind.OPENED, FeedKind.STATE}]
    if not wanted:
        return []
    ids = {one.message.alert_id for one in wanted}
    alerts = {row.id: row for row in session.scalars(select(AlertRow).where(AlertRow.id.in_(ids)))}
    paths = {one.message.alert_id: one.node_path for one in wanted}
    found = [
        *_openings(wanted, alerts),
        *_steps(session, wanted, alerts, paths),
        *_notices(session, wanted, alerts, paths),
        *_letters(session, wanted, alerts, paths),
    ]
    return sorted({one.source: one for one in found}.values(), key=lambda one: one.at)


def _openings(entries: Sequence[FeedEntry], alerts: dict[int, AlertRow]) -> list[Happening]:
    found = []
    for entry in entries:
        told = entry.message
        telling = of_opening(told.tier) if told.kind is FeedKind.OPENED else None
        if telling is not None:
            alert = alerts[told.alert_id]
            found.append(
                Happening(f"opened/{alert.id}", telling, alert, entry.node_path, told.at, suspected=True)
            )
    return found


def _moments(entries: Sequence[FeedEntry]) -> set[tuple[int, datetime]]:
    # A change and its entry are of one transaction and share their time.
    return {(one.message.alert_id, one.message.at) for one in entries if one.message.kind is FeedKind.STATE}


def _steps(
    session: Session, entries: Sequence[FeedEntry], alerts: dict[int, AlertRow], paths: dict[int, str]
) -> list[Happening]:
    moments = _moments(entries)
    rows = session.scalars(
        select(TransitionRow)
        .where(TransitionRow.alert_id.in_({alert_id for alert_id, _ in moments}))
        .order_by(TransitionRow.id)
    )
    found = []
    for row in rows:
        alert = alerts[row.alert_id]
        telling = of_step(row.step, alert.tier) if (row.alert_id, row.at) in moments else None
        if telling is not None:
            source = f"step/{alert.id}/{row.version}"
            found.append(
                Happening(source, telling, alert, paths[alert.id], row.at, suspected=False, by=row.person_id)
            )
    return found


def _notices(
    session: Session, entries: Sequence[FeedEntry], alerts: dict[int, AlertRow], paths: dict[int, str]
) -> list[Happening]:
    notices = notices_of(session, entries)
    letters = {
        letter.notice_id: letter.id
        for letter in session.scalars(
            select(LetterRow).where(LetterRow.notice_id.in_([notice.id for notice in notices]))
        )
    }
    found = []
    for notice in notices:
        alert = alerts[notice.alert_id]
        found.append(
            Happening(
                f"notice/{notice.id}",
                of_notice(notice.kind, premises_side=notice.premises_side),
                alert,
                paths[alert.id],
                notice.at,
                suspected=alert.state is AlertState.PENDING_VERIFICATION,
                by=notice.person_id,
                letter_id=letters.get(notice.id),
                supervising_node=notice.node_id,
                level=notice.level,
            )
        )
    return found


def _letters(
    session: Session, entries: Sequence[FeedEntry], alerts: dict[int, AlertRow], paths: dict[int, str]
) -> list[Happening]:
    moments = _moments(entries)
    rows = session.execute(
        select(LetterRow, LetterAlertRow.alert_id)
        .join(LetterAlertRow, LetterAlertRow.letter_id == LetterRow.id)
        .where(
            LetterAlertRow.alert_id.in_({alert_id for alert_id, _ in moments}), LetterRow.notice_id.is_(None)
        )
        .order_by(LetterRow.id, LetterAlertRow.alert_id.desc())
    )
    found = []
    for letter, alert_id in rows:
        if (alert_id, letter.issued_at) not in moments:
            continue
        alert = alerts[alert_id]
        found.append(
            Happening(
                f"letter/{letter.id}",
                of_letter(premises_side=letter.premises_side),
                alert,
                paths[alert_id],
                letter.issued_at,
                suspected=alert.state is AlertState.PENDING_VERIFICATION,
                by=letter.issued_by,
                letter_id=letter.id,
            )
        )
    return found
