"""The outbox in numbers and in words, also while its database does not answer: an edge that watches must
be heard of."""

from __future__ import annotations

from datetime import timedelta

from kitchen_watch.edge.outbox.delivery import Delivery
from kitchen_watch.edge.outbox.records import OutboxCounts
from kitchen_watch.edge.outbox.store import OutboxStore
from kitchen_watch.edge.ownership.renewing import Renewal
from kitchen_watch.errors import EvidenceError

NOTHING = OutboxCounts(pending=0, delivered=0, dead=0, uploads_pending=0, uploads_lost=0)


class Figures:
    """Reads them; where they cannot be read the last ones stand."""

    def __init__(self, store: OutboxStore, delivery: Delivery, renewal: Renewal | None) -> None:
        self._store = store
        self._delivery = delivery
        self._renewal = renewal
        self._counts = NOTHING
        self._oldest: timedelta | None = None
        self._trouble: str | None = None

    async def read(self) -> tuple[OutboxCounts, timedelta | None]:
        """Counts, and the age of the oldest undelivered event.

        Raises:
            LeaseLost: the edge has a newer owner.
        """
        try:
            self._counts = await self._store.counts()
            self._oldest = await self._store.oldest_undelivered_age()
        except EvidenceError as error:
            self._trouble = str(error)
        else:
            self._trouble = None
        return self._counts, self._oldest

    def warnings(self, waiting: int) -> tuple[str, ...]:
        """What people have to know, with ``waiting`` steps of violations in memory; sentences."""
        warnings = [*self._store.problems()]
        if self._trouble is not None or waiting:
            why = self._trouble or "it could not be written a moment ago"
            warnings.append(
                f"The outbox does not answer; {waiting} steps of violations wait in memory: {why}"
            )
        if self._delivery.last_error is not None:
            warnings.append(f"Events cannot be delivered at present: {self._delivery.last_error}")
        if self._renewal is not None and self._renewal.trouble is not None:
            warnings.append(f"The lease of this edge is not renewed at present: {self._renewal.trouble}")
        if self._counts.uploads_lost:
            warnings.append(f"{self._counts.uploads_lost} evidence files are missing or damaged on the disk.")
        return tuple(warnings)
