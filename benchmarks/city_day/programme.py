"""What happens in a day, drawn once before it begins: which camera sees what, when and for how long.

The same seed gives the same day. Assumed, not measured: hours of the day by kind of violation.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from benchmarks.city_day.places import City

ZONE = ZoneInfo("Asia/Shanghai")

# How much of it happens in each local hour: lunch and dinner, the rush at opening, nights without staff.
_KITCHEN = (0, 0, 0, 0, 0, 0.2, 0.5, 0.8, 1, 2, 4, 8, 8, 4, 2, 1.5, 3, 7, 9, 7, 4, 2, 0.5, 0.1)
_NIGHT = (6, 7, 8, 8, 6, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.2, 0.3, 0.5, 3, 5)
_ANY = (1,) * 24
_OPENING = (0.2, 0.2, 0.2, 0.2, 0.3, 0.5, 1, 3, 6, 6, 3, 2, 1, 1, 1, 1, 2, 2, 1, 1, 2, 4, 3, 1)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of violation."""

    code: str
    tier: int
    share: float
    hours: tuple[float, ...]
    minutes: tuple[float, float]
    """How long it lasts, from to."""
    by_model: bool = True


KINDS = (
    Kind("NO_HAT", 2, 0.36, _KITCHEN, (0.5, 12)),
    Kind("NO_MASK", 3, 0.28, _KITCHEN, (0.5, 12)),
    Kind("CAM_OFFLINE", 2, 0.12, _OPENING, (6, 180), by_model=False),
    Kind("CAM_COVERED", 2, 0.06, _OPENING, (1, 40), by_model=False),
    Kind("NIGHT_INTRUSION", 1, 0.06, _NIGHT, (0.5, 10)),
    Kind("RODENT", 1, 0.08, _NIGHT, (0.2, 3)),
    Kind("COCKROACH", 1, 0.04, _NIGHT, (0.2, 3)),
)


@dataclass(frozen=True, slots=True)
class Happening:
    """One violation that a camera will see."""

    edge_id: str
    camera_id: str
    kind: Kind
    at: datetime
    lasts: timedelta


@dataclass(frozen=True, slots=True)
class Outage:
    """An edge that does not reach the backend; what it sees meanwhile waits in its outbox."""

    edge_id: str
    since: datetime
    until: datetime


def draw(
    city: City, *, since: datetime, until: datetime, per_camera_day: float, seed: int
) -> list[Happening]:
    """Violations in order of time; so many per camera and whole day, in the mean of its hours."""
    chance = random.Random(seed)
    cameras = [(edge, camera) for edge, found in city.cameras.items() for camera in found]
    minutes = [since + timedelta(minutes=n) for n in range(int((until - since) / timedelta(minutes=1)))]
    found = []
    for kind in KINDS:
        weights = [kind.hours[moment.astimezone(ZONE).hour] for moment in minutes]
        mean = len(cameras) * per_camera_day * kind.share * sum(weights) / (60 * sum(kind.hours))
        count = round(mean)
        if not count:
            continue
        for minute in chance.choices(minutes, weights, k=count):
            edge_id, camera_id = chance.choice(cameras)
            at = minute + timedelta(seconds=chance.uniform(0, 60))
            lasts = timedelta(minutes=chance.uniform(*kind.minutes))
            found.append(Happening(edge_id, camera_id, kind, at, lasts))
    return sorted(found, key=lambda one: one.at)


def outages(city: City, *, since: datetime, until: datetime, seed: int) -> list[Outage]:
    """One edge of ten is cut off once, for 20 to 60 minutes."""
    chance, length = random.Random(seed), until - since
    found = []
    for edge_id in city.cameras:
        if chance.random() < 0.1:
            begins = since + length * chance.uniform(0.1, 0.6)
            found.append(Outage(edge_id, begins, begins + timedelta(minutes=chance.uniform(20, 60))))
    return found
