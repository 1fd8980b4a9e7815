"""A follower of the feed: makes notifications, and messages for those who want them elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.feed import FeedEntry
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.deadlines.running import zone_of
from kitchen_watch.backend.notifications.happenings import Happening, happenings_of
from kitchen_watch.backend.notifications.recipients import recipients_of
from kitchen_watch.backend.notifications.rules import Occasion, send_at
from kitchen_watch.backend.notifications.settings import NotificationSettings
from kitchen_watch.backend.notifications.tables import NotificationRow, PreferencesRow
from kitchen_watch.backend.organisations.tables import PremisesRow
from kitchen_watch.backend.webhooks.messages import NOTIFICATION, receivers_of
from kitchen_watch.backend.webhooks.tables import Channel, MessageRow, MessageState, ReceiverKind

Words = Callable[[Occasion, Mapping[str, Any], str | None], tuple[str, str]]
"""Subject and text of an occasion with its facts, in the language of a locale (``None``: Chinese)."""


@dataclass(frozen=True, slots=True)
class Notifications:
    """Makes them. ``words`` belongs to the pages, which know the languages."""

    settings: NotificationSettings
    public_url: str
    words: Words

    def __call__(self, session: Session, entries: Sequence[FeedEntry], now: datetime) -> None:
        """Store who is told of these entries."""
        for happening in happenings_of(session, entries, now=now):
            premises = session.get_one(PremisesRow, happening.alert.premises_id)
            facts = self._facts(happening, premises)
            for person in recipients_of(session, happening):
                self._tell(session, person, happening, facts, premises.time_zone, now)
            self._tell_groups(session, happening, facts, premises.time_zone, now)
        session.flush()

    def _facts(self, happening: Happening, premises: PremisesRow) -> dict[str, Any]:
        page = f"letters/{happening.letter_id}" if happening.letter_id else f"alerts/{happening.alert.id}"
        return {
            "code": happening.alert.code,
            "tier": happening.alert.tier,
            "alert_id": happening.alert.id,
            "letter_id": happening.letter_id,
            "premises": premises.name,
            "premises_en": premises.name_en,
            "suspected": happening.suspected,
            "level": happening.level,
            "url": f"{self.public_url}/{page}",
        }

    def _tell(
        self,
        session: Session,
        person: PersonRow,
        happening: Happening,
        facts: dict[str, Any],
        time_zone: str,
        now: datetime,
    ) -> None:
        occasion = happening.telling.occasion
        known = select(NotificationRow.id).where(
            NotificationRow.person_id == person.id, NotificationRow.source == happening.source
        )
        if session.scalar(known) is not None:
            return
        preferences = session.get(PreferencesRow, person.id)
        tier = happening.alert.tier
        if preferences is not None and occasion in preferences.muted and tier != 1:
            return
        session.add(
            NotificationRow(
                person_id=person.id,
                source=happening.source,
                occasion=occasion,
                alert_id=happening.alert.id,
                letter_id=happening.letter_id,
                tier=tier,
                suspected=happening.suspected,
                facts=facts,
                at=happening.at,
            )
        )
        if not (self.settings.mail.host and preferences and preferences.by_email and preferences.email):
            return
        subject, text = self.words(occasion, facts, person.locale)
        _queue(
            session,
            MessageRow(
                message_id=f"mail-{happening.source.replace('/', '-')}-p{person.id}",
                channel=Channel.EMAIL,
                person_id=person.id,
                lane=f"p{person.id}/a{happening.alert.id}",
                type=NOTIFICATION,
                payload={"to": preferences.email, "subject": subject, "text": text},
                state=MessageState.PENDING,
                created_at=now,
                next_at=send_at(
                    now,
                    tier,
                    quiet_from=_time(preferences.quiet_from, self.settings.quiet_from),
                    quiet_to=_time(preferences.quiet_to, self.settings.quiet_to),
                    zone=zone_of(time_zone),
                ),
            ),
        )

    def _tell_groups(
        self, session: Session, happening: Happening, facts: dict[str, Any], time_zone: str, now: datetime
    ) -> None:
        for receiver, below in receivers_of(session, ReceiverKind.WEBHOOK, ReceiverKind.DINGTALK):
            if NOTIFICATION not in receiver.types or not happening.node_path.startswith(below):
                continue
            if receiver.only_codes and happening.alert.code not in receiver.codes:
                continue
            subject, text = self.words(happening.telling.occasion, facts, None)
            message_id = f"notice-{happening.source.replace('/', '-')}-r{receiver.id}"
            at = now
            if receiver.kind is ReceiverKind.DINGTALK:
                at = send_at(
                    now,
                    happening.alert.tier,
                    quiet_from=self.settings.quiet_from,
                    quiet_to=self.settings.quiet_to,
                    zone=zone_of(time_zone),
                )
            _queue(
                session,
                MessageRow(
                    message_id=message_id,
                    channel=Channel(receiver.kind.value),
                    receiver_id=receiver.id,
                    lane=f"r{receiver.id}/n{happening.alert.id}",
                    type=NOTIFICATION,
                    payload={
                        "schema_version": 1,
                        "message_id": message_id,
                        "type": NOTIFICATION,
                        "at": happening.at.isoformat(),
                        "occasion": happening.telling.occasion.value,
                        "receiver_code": receiver.codes.get(happening.alert.code, happening.alert.code),
                        "subject": subject,
                        "text": text,
                        **facts,
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
