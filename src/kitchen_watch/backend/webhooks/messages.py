"""What other systems are told of an alert: one JSON, in the receiver's own codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.feed import FeedEntry
from kitchen_watch.backend.alerts.states import AlertState, FeedKind
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.organisations.places import place_names
from kitchen_watch.backend.organisations.tables import NodeRow, PremisesRow
from kitchen_watch.backend.webhooks.tables import Channel, MessageRow, MessageState, ReceiverKind, ReceiverRow

SCHEMA = 1

TYPES: Mapping[FeedKind, str] = MappingProxyType(
    {
        FeedKind.OPENED: "alert.opened",
        FeedKind.STATE: "alert.changed",
        FeedKind.CLOSED: "alert.ended",
    }
)
"""Kinds of feed entries that are told, and under which name. Growth and evidence are not."""

NOTIFICATION = "notification"
MESSAGE_TYPES = (*TYPES.values(), NOTIFICATION)

EVENT_SORT: Mapping[str, str] = MappingProxyType(
    {
        "NO_HAT": "605",
        "NO_MASK": "606",
        "SMOKING": "607",
        "NO_GLOVE": "608",
        "NO_UNIFORM": "609",
        "FLOOR_WATER": "611",
        "BIN_UNCOVERED": "612",
        "RODENT": "614",
        "CAM_MOVED": "615",
        "CAM_BLURRED": "616",
    }
)
"""One vendor's EventSort extension codes beside GA/T 1400: a mapping to begin with."""


class OutgoingPremises(BaseModel):
    """The restaurant of an alert."""

    id: int
    licence_no: str
    name: str
    grid: str
    """Names from the root of the tree down to the grid in which it was found."""


class OutgoingAlert(BaseModel):
    """The alert as it stood when it happened; ``suspected`` until somebody has verified it."""

    alert_id: int
    violation_id: str
    code: str
    receiver_code: str
    tier: int
    state: AlertState
    suspected: bool
    camera_id: str
    premises: OutgoingPremises
    occurred_at: AwareDatetime
    found_at: AwareDatetime
    ended_at: AwareDatetime | None
    due_at: AwareDatetime | None
    reminders: int
    supervision_level: int
    url: str


class OutgoingEvent(BaseModel):
    """One message. Receivers drop a ``message_id`` that they have had; ``sequence`` only grows."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "schema_version": 1,
                    "message_id": "alert-r1-42",
                    "type": "alert.opened",
                    "sequence": 42,
                    "at": "2026-03-02T04:00:00Z",
                    "alert": {
                        "alert_id": 7,
                        "violation_id": "6f0c7c3e-5a52-4c9b-9d59-6f7a2f0f3f11",
                        "code": "NO_HAT",
                        "receiver_code": "605",
                        "tier": 2,
                        "state": "pending_verification",
                        "suspected": True,
                        "camera_id": "cam-a1",
                        "premises": {
                            "id": 1,
                            "licence_no": "JY-A",
                            "name": "甲饭店",
                            "grid": "银川市 › 兴庆区 › 解放街所 › 一号网格",
                        },
                        "occurred_at": "2026-03-02T03:59:50Z",
                        "found_at": "2026-03-02T04:00:00Z",
                        "ended_at": None,
                        "due_at": "2026-03-02T04:30:00Z",
                        "reminders": 0,
                        "supervision_level": 0,
                        "url": "https://supervision.example.cn/alerts/7",
                    },
                }
            ]
        }
    )

    schema_version: int = SCHEMA
    message_id: str
    type: str
    sequence: int
    at: AwareDatetime
    alert: OutgoingAlert


@dataclass(frozen=True, slots=True)
class AlertMessages:
    """A follower of the feed: one message per receiver that wants to know. ``public_url`` is ours."""

    public_url: str

    def __call__(self, session: Session, entries: Sequence[FeedEntry], now: datetime) -> None:
        """Store the messages that these entries make."""
        told = [entry for entry in entries if entry.message.kind in TYPES]
        wanting = receivers_of(session, ReceiverKind.WEBHOOK) if told else []
        if not wanting:
            return
        alerts = {
            row.id: row
            for row in session.scalars(
                select(AlertRow).where(AlertRow.id.in_({entry.message.alert_id for entry in told}))
            )
        }
        ids = {row.premises_id for row in alerts.values()}
        premises = {
            row.id: row for row in session.scalars(select(PremisesRow).where(PremisesRow.id.in_(ids)))
        }
        places = place_names(session, {row.node_id for row in alerts.values()})
        for entry in told:
            alert = alerts[entry.message.alert_id]
            for receiver, below in wanting:
                if not _wants(receiver, below, entry):
                    continue
                event = self._event(
                    receiver, entry, alert, premises[alert.premises_id], places.get(alert.node_id, "")
                )
                session.add(
                    MessageRow(
                        message_id=event.message_id,
                        channel=Channel.WEBHOOK,
                        receiver_id=receiver.id,
                        lane=f"r{receiver.id}/a{alert.id}",
                        type=event.type,
                        payload=event.model_dump(mode="json"),
                        state=MessageState.PENDING,
                        created_at=now,
                        next_at=now,
                    )
                )
                session.flush()  # ids grow in this order

    def _event(
        self, receiver: ReceiverRow, entry: FeedEntry, alert: AlertRow, premises: PremisesRow, place: str
    ) -> OutgoingEvent:
        told = entry.message
        return OutgoingEvent(
            message_id=f"alert-r{receiver.id}-{told.feed_id}",
            type=TYPES[told.kind],
            sequence=told.feed_id,
            at=told.at,
            alert=OutgoingAlert(
                alert_id=alert.id,
                violation_id=str(alert.violation_id),
                code=told.code,
                receiver_code=receiver.codes.get(told.code, told.code),
                tier=told.tier,
                state=told.state,
                suspected=told.state is AlertState.PENDING_VERIFICATION,
                camera_id=told.camera_id,
                premises=OutgoingPremises(
                    id=premises.id, licence_no=premises.licence_no, name=premises.name, grid=place
                ),
                occurred_at=alert.occurred_at,
                found_at=alert.found_at,
                ended_at=alert.ended_at,
                due_at=alert.due_at,
                reminders=alert.reminders,
                supervision_level=alert.supervision_level,
                url=f"{self.public_url}/alerts/{alert.id}",
            ),
        )


def receivers_of(session: Session, *kinds: ReceiverKind) -> list[tuple[ReceiverRow, str]]:
    """Receivers of these kinds that are switched on, each with the path below which it is told."""
    found: list[tuple[ReceiverRow, str]] = []
    query = (
        select(ReceiverRow, NodeRow.path)
        .outerjoin(NodeRow, NodeRow.id == ReceiverRow.node_id)
        .where(ReceiverRow.enabled.is_(True), ReceiverRow.kind.in_(kinds))
        .order_by(ReceiverRow.id)
    )
    for row, path in session.execute(query):
        found.append((row, path or "/"))
    return found


def _wants(receiver: ReceiverRow, below: str, entry: FeedEntry) -> bool:
    return (
        TYPES[entry.message.kind] in receiver.types
        and entry.node_path.startswith(below)
        and not (receiver.only_codes and entry.message.code not in receiver.codes)
    )
