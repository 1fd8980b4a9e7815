"""How a letter comes about: by hand, or because a reminder or supervision was issued."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts import feed
from kitchen_watch.backend.alerts.feed import FeedEntry
from kitchen_watch.backend.alerts.service import visible_alert
from kitchen_watch.backend.alerts.states import AlertState, FeedKind
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.audit.service import Actor
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.deadlines.clocks import MomentKind
from kitchen_watch.backend.deadlines.tables import AlertNoticeRow
from kitchen_watch.backend.letters.schemas import LetterBody
from kitchen_watch.backend.letters.service import Draft, issue_letter
from kitchen_watch.backend.letters.tables import LetterKind, LetterRow
from kitchen_watch.backend.organisations.places import node_ids, node_paths
from kitchen_watch.backend.organisations.tables import NodeRow
from kitchen_watch.errors import Conflict, InvalidRequest


def issue_by_hand(
    session: Session, person: Person, body: LetterBody, *, by: Actor, now: datetime
) -> LetterRow:
    """A letter that an officer writes about alerts of one premises.

    Raises:
        NotFound: an alert is outside of the officer's scope.
        InvalidRequest: the alerts belong to several premises, or the deadline has passed.
        Conflict: an alert was a false alarm.
    """
    alerts = [visible_alert(session, person, alert_id) for alert_id in dict.fromkeys(body.alert_ids)]
    if len({alert.premises_id for alert in alerts}) != 1:
        raise InvalidRequest("One letter is about one premises; these alerts belong to several.")
    if any(alert.state in {AlertState.FALSE_ALARM, AlertState.MERGED} for alert in alerts):
        raise Conflict("A false alarm, or one that went on in another alert, is no subject of a letter.")
    if body.deadline_at is not None and body.deadline_at <= now:
        raise InvalidRequest("The deadline of a letter must lie in the future.")
    draft = Draft(
        kind=body.kind,
        node_id=person.node_id or _superior(session, alerts[0], 1),
        premises_side=body.premises_side,
        alerts=alerts,
        deadline_at=body.deadline_at,
        text=body.text,
    )
    letter = issue_letter(session, draft, by=by, now=now)
    path = node_paths(session, {letter.premises_id})[letter.premises_id]
    feed.append(session, [feed.news(alert, FeedKind.STATE, node_path=path) for alert in alerts], now=now)
    return letter


@dataclass(frozen=True, slots=True)
class LettersOfNotices:
    """A follower of the feed: puts into writing what policy wants to have in writing."""

    automatic: frozenset[MomentKind]
    time_to_answer: timedelta

    def __call__(self, session: Session, entries: Sequence[FeedEntry], now: datetime) -> None:
        """Issue a letter for every new reminder or supervision of the kinds wanted."""
        for notice in notices_of(session, entries):
            if notice.kind not in self.automatic or _is_written(session, notice):
                continue
            alert = session.get_one(AlertRow, notice.alert_id)
            issue_letter(
                session,
                Draft(
                    kind=LetterKind(notice.kind.value),
                    node_id=notice.node_id or alert.node_id,
                    premises_side=notice.premises_side,
                    alerts=[alert],
                    deadline_at=_deadline(alert, notice, self.time_to_answer),
                    text=notice.note,
                    level=notice.level,
                    notice_id=notice.id,
                ),
                by=Actor(notice.person_id, ""),
                now=now,
            )


def notices_of(session: Session, entries: Sequence[FeedEntry]) -> list[AlertNoticeRow]:
    """The reminders and supervisions that these entries tell of: a change and its entry share their time."""
    told = [one.message for one in entries if one.message.kind is FeedKind.STATE]
    if not told:
        return []
    moments = {(one.alert_id, one.at) for one in told}
    rows = session.scalars(
        select(AlertNoticeRow)
        .where(AlertNoticeRow.alert_id.in_({one.alert_id for one in told}))
        .order_by(AlertNoticeRow.id)
    )
    return [row for row in rows if (row.alert_id, row.at) in moments]


def _is_written(session: Session, notice: AlertNoticeRow) -> bool:
    return session.scalar(select(LetterRow.id).where(LetterRow.notice_id == notice.id)) is not None


def _deadline(alert: AlertRow, notice: AlertNoticeRow, time_to_answer: timedelta) -> datetime:
    running = alert.due_at
    return running if running is not None and running > notice.at else notice.at + time_to_answer


def _superior(session: Session, alert: AlertRow, levels: int) -> int:
    line = node_ids(session.scalars(select(NodeRow.path).where(NodeRow.id == alert.node_id)).one())
    return line[max(0, len(line) - 1 - levels)]
