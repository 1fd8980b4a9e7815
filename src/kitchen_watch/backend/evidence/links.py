"""Links to evidence: signed, expiring, and bound to the person they were made for.

The link alone opens nothing: the route also asks for the person's session and scope, every time.
Links are made in steps of half their lifetime, so that a page shown twice has the same ones and
the browser can keep what it has.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from itsdangerous import BadData, URLSafeSerializer

from kitchen_watch.backend.secret_key import derive
from kitchen_watch.clock import Clock
from kitchen_watch.errors import NotFound

PREFIX = "/media/evidence/"


@dataclass(frozen=True, slots=True)
class MediaGrant:
    """What a link says: this person may see this file (row id) until then."""

    person_id: int
    file_id: int
    expires_at: datetime


class MediaLinks:
    """Makes and reads links."""

    def __init__(self, secret_key: bytes, clock: Clock, lifetime: timedelta) -> None:
        self._serializer = URLSafeSerializer(derive(secret_key, "media-links"), salt="evidence")
        self._clock = clock
        self._lifetime = lifetime

    def url(self, person_id: int, file_id: int) -> str:
        """Path of the link, valid for half to all of the lifetime."""
        step = max(1, int(self._lifetime.total_seconds() / 2))
        expires = (int(self._clock.now().timestamp()) // step + 2) * step
        return PREFIX + self._serializer.dumps([person_id, file_id, expires])

    def read(self, token: str) -> MediaGrant:
        """What the link says.

        Raises:
            NotFound: it is not one of ours, was changed, or is too old. Nobody learns which.
        """
        try:
            person_id, file_id, expires = self._serializer.loads(token)
        except BadData:
            raise _gone() from None
        now = self._clock.now()
        if now.timestamp() >= expires:
            raise _gone()
        return MediaGrant(person_id, file_id, now + timedelta(seconds=expires - now.timestamp()))


def _gone() -> NotFound:
    return NotFound("There is no such evidence, or the link is too old. Open the alert again.")
