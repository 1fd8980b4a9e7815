"""Send what is due: claimed in the database, handed over outside of any transaction, written down.

Delivery is at least once: a process that dies with a message in hand leaves a lease behind, and
after it somebody sends the message again under the same ``message_id``. Messages of one lane wait
for each other; a dead letter lets the next one pass.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Select, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, aliased
from starlette.concurrency import run_in_threadpool

from kitchen_watch.backend.auth.vault import Vault
from kitchen_watch.backend.database import Database, announce
from kitchen_watch.backend.webhooks.couriers import Courier, Message
from kitchen_watch.backend.webhooks.retry import Again, Done, GiveUp, Outcome, after
from kitchen_watch.backend.webhooks.secrets import secrets_of
from kitchen_watch.backend.webhooks.settings import OutgoingSettings
from kitchen_watch.backend.webhooks.tables import Channel, DeliveryRow, MessageRow, MessageState, ReceiverRow
from kitchen_watch.clock import Clock

BATCH = 20
TOPIC = "outgoing"
MAX_PROBLEM = 500

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _InHand:
    channel: Channel
    message: Message


class Sender:
    """Looks into the database now and then while the application runs."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        couriers: Mapping[Channel, Courier],
        *,
        vault: Vault,
        settings: OutgoingSettings,
    ) -> None:
        self._database = database
        self._clock = clock
        self._couriers = dict(couriers)
        self._vault = vault
        self._settings = settings
        self._stopping = False
        self._lease = timedelta(seconds=settings.timeout_s * 3 + 30)

    async def run(self) -> None:
        """Send until stopped; a database that is away for a while is only logged."""
        with self._database.notices.subscribed(TOPIC, "feed") as woken:
            while not self._stopping:
                woken.clear()
                try:
                    while not self._stopping and await self.look():
                        pass
                except SQLAlchemyError as error:
                    log.warning("messages cannot be sent", reason=str(error)[:300])
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.look_every_s):
                        await woken.wait()
                if not self._stopping:
                    await asyncio.sleep(min(0.2, self._settings.look_every_s))

    def stop(self) -> None:
        """Let :meth:`run` return after what it has in hand."""
        self._stopping = True
        self._database.notices.publish(TOPIC)

    async def look(self) -> int:
        """Send one batch of what is due; returns how many attempts were made."""
        claimed = await run_in_threadpool(self._claim)
        await asyncio.gather(*(self._deliver(one) for one in claimed))
        return len(claimed)

    async def _deliver(self, one: _InHand) -> None:
        began = self._clock.monotonic()
        outcome = await self._couriers[one.channel].send(one.message)
        duration_ms = int((self._clock.monotonic() - began) * 1000)
        await run_in_threadpool(self._record, one.message.row_id, outcome, duration_ms)

    def _claim(self) -> list[_InHand]:
        now = self._clock.now()
        with self._database.read() as session:
            if (
                session.scalar(_due(now, tuple(self._couriers)).with_only_columns(MessageRow.id).limit(1))
                is None
            ):
                return []
        with self._database.write() as session:
            rows = session.scalars(
                _due(now, tuple(self._couriers))
                .order_by(MessageRow.next_at, MessageRow.id)
                .limit(BATCH)
                .with_for_update(skip_locked=True, of=MessageRow)
            ).all()
            for row in rows:
                row.claimed_until = now + self._lease
            return [self._in_hand(session, row, now) for row in rows]

    def _in_hand(self, session: Session, row: MessageRow, now: datetime) -> _InHand:
        receiver = session.get(ReceiverRow, row.receiver_id) if row.receiver_id is not None else None
        secret, *older = secrets_of(receiver, self._vault, now=now) if receiver else ("",)
        return _InHand(
            row.channel,
            Message(
                row_id=row.id,
                message_id=row.message_id,
                person_id=row.person_id,
                type=row.type,
                payload=row.payload,
                at=now,
                url=self._vault.open(receiver.sealed_url).get_secret_value() if receiver else "",
                secret=secret,
                older_secrets=tuple(older),
            ),
        )

    def _record(self, row_id: int, outcome: Outcome, duration_ms: int) -> None:
        now = self._clock.now()
        problem = outcome.problem.replace("\0", "")[:MAX_PROBLEM]
        with self._database.write() as session:
            row = session.get_one(MessageRow, row_id, with_for_update=True)
            session.add(
                DeliveryRow(
                    outgoing_id=row.id,
                    at=now,
                    duration_ms=duration_ms,
                    delivered=outcome.delivered,
                    status=outcome.status,
                    problem=problem,
                )
            )
            if row.state is MessageState.DELIVERED:
                return  # another process had it as well, after this one's lease
            row.attempts += 1
            row.claimed_until, row.problem = None, problem
            match after(outcome, attempts=row.attempts, now=now, waits=self._settings.retry_waits):
                case Done():
                    row.state, row.finished_at = MessageState.DELIVERED, now
                case Again(at):
                    row.next_at = at
                case GiveUp():
                    row.state, row.finished_at = MessageState.DEAD, now
                    log.warning("a message is given up", message_id=row.message_id, reason=problem[:200])
            announce(session, TOPIC)


def _due(now: datetime, channels: tuple[Channel, ...]) -> Select[MessageRow]:
    earlier = aliased(MessageRow)
    blocked = (
        select(earlier.id)
        .where(
            earlier.lane == MessageRow.lane,
            earlier.state == MessageState.PENDING,
            earlier.id < MessageRow.id,
        )
        .exists()
    )
    return select(MessageRow).where(
        MessageRow.state == MessageState.PENDING,
        MessageRow.channel.in_(channels),
        MessageRow.next_at <= now,
        or_(MessageRow.claimed_until.is_(None), MessageRow.claimed_until <= now),
        ~blocked,
    )
