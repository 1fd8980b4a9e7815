"""What carries a notification out of the application: e-mail of people, chats and webhooks of groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.notifications.rules import Occasion, send_at
from kitchen_watch.backend.notifications.settings import NotificationSettings
from kitchen_watch.backend.notifications.tables import PreferencesRow
from kitchen_watch.backend.webhooks.messages import NOTIFICATION, receivers_of
from kitchen_watch.backend.webhooks.tables import Channel, MessageRow, MessageState, ReceiverKind

Words = Callable[[Occasion, Mapping[str, Any], str | None], tuple[str, str]]
"""Subject and text of an occasion with its facts, in the language of a locale (``None``: Chinese)."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What is carried. ``source`` names it for good, ``lane`` what stays in order; ``code`` of an alert."""

    source: str
    lane: str
    occasion: Occasion
    tier: int
    facts: dict[str, Any]
    at: datetime
    zone: ZoneInfo
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Outside:
    """Queues messages, each once by its ``message_id``. ``words`` belongs to the pages."""

    settings: NotificationSettings
    words: Words

    def mail(
        self,
        session: Session,
        person: PersonRow,
        preferences: PreferencesRow | None,
        what: Carried,
        now: datetime,
    ) -> None:
        """To a person who wants e-mail, at the end of their quiet hours."""
        if not (self.settings.mail.host and preferences and preferences.by_email and preferences.email):
            return
        subject, text = self.words(what.occasion, what.facts, person.locale)
        _queue(
            session,
            MessageRow(
                message_id=f"mail-{what.source.replace('/', '-')}-p{person.id}",
                channel=Channel.EMAIL,
                person_id=person.id,
                lane=f"p{person.id}/{what.lane}",
                type=NOTIFICATION,
                payload={"to": preferences.email, "subject": subject, "text": text},
                state=MessageState.PENDING,
                created_at=now,
                next_at=send_at(
                    now,
                    what.tier,
                    quiet_from=_time(preferences.quiet_from, self.settings.quiet_from),
                    quiet_to=_time(preferences.quiet_to, self.settings.quiet_to),
                    zone=what.zone,
                ),
            ),
        )

    def groups(self, session: Session, node_path: str, what: Carried, now: datetime) -> None:
        """To the receivers that look after ``node_path``; a receiver of single codes hears of these alone."""
        for receiver, below in receivers_of(session, ReceiverKind.WEBHOOK, ReceiverKind.DINGTALK):
            if NOTIFICATION not in receiver.types or not node_path.startswith(below):
                continue
            if receiver.only_codes and what.code not in receiver.codes:
                continue
            subject, text = self.words(what.occasion, what.facts, None)
            message_id = f"notice-{what.source.replace('/', '-')}-r{receiver.id}"
            at = now
            if receiver.kind is ReceiverKind.DINGTALK:
                at = send_at(
                    now,
                    what.tier,
                    quiet_from=self.settings.quiet_from,
                    quiet_to=self.settings.quiet_to,
                    zone=what.zone,
                )
            told = {} if what.code is None else {"receiver_code": receiver.codes.get(what.code, what.code)}
            _queue(
                session,
                MessageRow(
                    message_id=message_id,
                    channel=Channel(receiver.kind.value),
                    receiver_id=receiver.id,
                    lane=f"r{receiver.id}/{what.lane}",
                    type=NOTIFICATION,
                    payload={
                        "schema_version": 1,
                        "message_id": message_id,
                        "type": NOTIFICATION,
                        "at": what.at.isoformat(),
                        "occasion": what.occasion.value,
                        "subject": subject,
                        "text": text,
                        **told,
                        **what.facts,
                    },
                    state=MessageState.PENDING,
                    created_at=now,
                    next_at=at,
                ),
            )


def _queue(session: Session, message: MessageRow) -> None:
    known = select(MessageRow.id).where(MessageRow.message_id == message.message_id)
    if session.scalar(known) is None:
        session.add(message)
        session.flush()  # ids grow in this order


def _time(chosen: str | None, otherwise: time) -> time:
    return time.fromisoformat(chosen) if chosen else otherwise
