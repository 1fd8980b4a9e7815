"""Who is looked at next, and how long any camera can go without: pure, by the longest wait.

A turn takes cameras in the order of their waiting, each that still fits, and all of them at once give
way to the next turn. So a camera is passed over only by a turn that is full of cameras that had waited
longer, and each of those stands behind it afterwards: the number of turns it can be passed over is
bounded (:func:`most_turns_between`), whatever the costs, and with it the time without a look.

Some wish to be watched without a break (an open violation). They are, as far as the rest still come
round in time; the others of them take turns like everybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

STRETCH = 1.5
"""Open violations may make the rest wait so many times as long where the wish cannot be kept anyway."""
_EPSILON = 1e-9


@dataclass(frozen=True, slots=True)
class Waiting:
    """One camera that could be looked at."""

    camera_id: str
    cost: float
    """In the unit of the capacity; above 0."""
    watch_s: float
    """Seconds that a turn of it lasts at least."""
    looked_at: float
    """Monotonic seconds at which its last turn ended (at which it came, before its first)."""
    watched: float = 0.0
    """How much it has been watched lately; decides between cameras that have waited equally long."""
    urgency: int = 0
    """Above 0: it should be watched without a break, higher ones before lower ones."""
    always: bool = False
    """It is watched without a break because somebody configured so; takes precedence over everything."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Who is looked at from now on."""

    cameras: frozenset[str]
    """Everybody who is looked at, ``kept`` included."""
    kept: frozenset[str]
    """Watched without a break, as long as it lasts."""
    seconds: float
    """How long this turn lasts; 0 where nobody waits."""
    revisit_s: Mapping[str, float]
    """By camera, the longest time without a look while things stay as they are; 0 for ``kept``."""

    @property
    def longest_revisit_s(self) -> float:
        """The longest of all cameras."""
        return max(self.revisit_s.values(), default=0.0)


def next_turn(cameras: Sequence[Waiting], capacity: float, *, wanted_s: float) -> Turn:
    """The turn that begins now.

    ``wanted_s``: nobody should go without a look for longer; cameras are kept watched only within it, or
    within :data:`STRETCH` times what is possible at all. A camera that costs more than the whole
    capacity has its turns alone.
    """
    line = sorted(
        (replace(camera, cost=min(camera.cost, capacity)) for camera in cameras),
        key=lambda camera: (camera.looked_at, camera.watched, camera.camera_id),
    )
    everybody = frozenset(camera.camera_id for camera in line)
    if sum(camera.cost for camera in line) <= capacity + _EPSILON:
        return Turn(everybody, everybody, 0.0, dict.fromkeys(everybody, 0.0))
    kept = _kept(line, capacity, wanted_s)
    rest = [camera for camera in line if camera.camera_id not in kept]
    room = capacity - sum(camera.cost for camera in line if camera.camera_id in kept)
    left, chosen = room, []
    for camera in rest:
        if camera.cost <= left + _EPSILON:
            chosen.append(camera)
            left -= camera.cost
    bounds = revisit_bounds(rest, room)
    return Turn(
        cameras=kept | {camera.camera_id for camera in chosen},
        kept=kept,
        seconds=max((camera.watch_s for camera in chosen), default=0.0),
        revisit_s={**dict.fromkeys(kept, 0.0), **bounds},
    )


def revisit_bounds(cameras: Sequence[Waiting], capacity: float) -> dict[str, float]:
    """By camera, the longest time in seconds from the end of a turn to the beginning of its next."""
    longest = max((camera.watch_s for camera in cameras), default=0.0)
    bounds = {}
    for number, camera in enumerate(cameras):
        others = [other.cost for place, other in enumerate(cameras) if place != number]
        bounds[camera.camera_id] = most_turns_between(camera.cost, others, capacity) * longest
    return bounds


def most_turns_between(cost: float, others: Sequence[float], capacity: float) -> int:
    """How many turns on end can pass over a camera of this cost.

    Each such turn is so full of cameras that waited longer that ``cost`` no longer fits, and none of them
    is in two such turns: by their number (as few as possible in each: the most expensive ones) and by
    their cost there cannot be more.
    """
    gap = capacity + _EPSILON - cost
    full, fewest = 0.0, 0
    for other in sorted(others, reverse=True):
        full, fewest = full + other, fewest + 1
        if full > gap:
            break
    else:
        return 0  # all of them together leave room for it
    by_number = len(others) // fewest
    by_cost = int(sum(others) / gap) if gap > 10 * _EPSILON else by_number
    return min(by_number, by_cost)


def _kept(line: Sequence[Waiting], capacity: float, wanted_s: float) -> frozenset[str]:
    """Those who are watched without a break; always with room for every other camera's turn."""
    kept = {camera.camera_id for camera in line if camera.always}
    if not _leaves_room(line, kept, capacity):
        kept = set()
    limit = max(wanted_s, STRETCH * _longest(line, kept, capacity))
    wishes = sorted(
        (camera for camera in line if camera.urgency > 0 and camera.camera_id not in kept),
        key=lambda camera: (-camera.urgency, camera.camera_id),
    )
    for camera in wishes:
        tried = kept | {camera.camera_id}
        if _leaves_room(line, tried, capacity) and _longest(line, tried, capacity) <= limit + _EPSILON:
            kept = tried
    return frozenset(kept)


def _leaves_room(line: Sequence[Waiting], kept: set[str], capacity: float) -> bool:
    rest = [camera.cost for camera in line if camera.camera_id not in kept]
    spent = sum(camera.cost for camera in line if camera.camera_id in kept)
    return spent + max(rest, default=0.0) <= capacity + _EPSILON


def _longest(line: Sequence[Waiting], kept: set[str], capacity: float) -> float:
    rest = [camera for camera in line if camera.camera_id not in kept]
    room = capacity - sum(camera.cost for camera in line if camera.camera_id in kept)
    return max(revisit_bounds(rest, room).values(), default=0.0)
