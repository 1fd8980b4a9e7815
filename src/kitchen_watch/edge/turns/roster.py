"""Gives the turns: looks once a second how cameras and machine are, and lets each be watched or wait."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from kitchen_watch.clock import Clock
from kitchen_watch.control import TurnStatus
from kitchen_watch.edge.turns.facts import Facts, TurnTaker
from kitchen_watch.edge.turns.load import FEWEST_DUE, CameraLoad, Capacity, cost
from kitchen_watch.edge.turns.needs import turn_lengths
from kitchen_watch.edge.turns.schedule import Turn, Waiting, next_turn
from kitchen_watch.edge.turns.settings import TurnSettings

LOOK_EVERY_S = 1.0
REMEMBERED_S = 1800.0
"""Time constant of the share of time that is told."""
ALMOST_ALL, TOLD_AFTER_S = 0.9, 30.0
"""Less of the due frames than this, for so long, is told as an overload, whatever is done about it."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Place:
    """What is remembered of one camera."""

    looked_at: float
    load: CameraLoad = field(default_factory=CameraLoad)
    watched: float = 0.0
    passed: float = 0.0
    extended: bool = False
    """What builds up has already kept it watched once."""

    @property
    def share(self) -> float:
        return self.watched / self.passed if self.passed else 1.0

    def remember(self, seconds: float, *, watched: bool) -> None:
        fading = math.exp(-seconds / REMEMBERED_S)
        self.watched = self.watched * fading + seconds * watched
        self.passed = self.passed * fading + seconds


class Roster:
    """Belongs to one event loop. ``settings`` is asked anew at every look: a reload may change them."""

    def __init__(
        self,
        cameras: Iterable[TurnTaker],
        settings: Callable[[], TurnSettings],
        *,
        clock: Clock,
        inference_s: Callable[[], float | None],
        prefer: Callable[[Mapping[str, int]], None],
    ) -> None:
        """``cameras`` is gone through at every look; ``prefer`` is told by rank whose frames go first."""
        self._cameras = cameras
        self._settings = settings
        self._clock = clock
        self._inference_s = inference_s
        self._prefer = prefer
        self._places: dict[str, _Place] = {}
        self._turn: Turn | None = None
        self._ends_at = 0.0
        self._looked_at: float | None = None
        self._in_force: TurnSettings | None = None
        self._capacity: Capacity | None = None
        self._share: float | None = None
        self._enough_at = clock.monotonic()
        self._told = ""

    async def run(self) -> None:
        """Give turns until cancelled."""
        while True:
            self.look()
            left = self._ends_at - self._clock.monotonic() if self._turn is not None else LOOK_EVERY_S
            await self._clock.sleep(timedelta(seconds=min(LOOK_EVERY_S, max(0.05, left))))

    @property
    def turn(self) -> Turn | None:
        """The present turn; ``None`` while everybody is watched."""
        return self._turn

    def warnings(self) -> tuple[str, ...]:
        """What a person should know of it, in sentences."""
        settings, turn = self._settings(), self._turn
        found = []
        if turn is not None and turn.longest_revisit_s > settings.longest_revisit_s:
            found.append(too_many(turn, settings))
        if self._share is not None and self._clock.monotonic() - self._enough_at >= TOLD_AFTER_S:
            found.append(overloaded(self._share))
        return tuple(found)

    def look(self) -> None:
        """One look: account for the time since the last one, and begin a turn if one is due."""
        now = self._clock.monotonic()
        cameras = {camera.settings.camera_id: camera for camera in self._cameras}
        facts = {camera_id: camera.facts() for camera_id, camera in cameras.items()}
        self._account(now, facts)
        self._prefer(self._ranks(cameras, facts))
        capacity = self._find_capacity(now, cameras, facts)
        if capacity is None:
            self._everybody(cameras)
            return
        line = self._line(cameras, facts)
        before = self._turn
        if before is None or now >= self._ends_at or not before.seconds or not before.cameras & set(facts):
            turn = next_turn(line, capacity, wanted_s=self._settings().longest_revisit_s)
            self._begin(turn, now, facts)
        self._apply(cameras, {one.camera_id: one for one in line})

    def _ranks(self, cameras: dict[str, TurnTaker], facts: dict[str, Facts]) -> dict[str, int]:
        """Whose rate falls last when there is too much to do: what is open, then rules of tier 1."""
        at = self._clock.now()
        return {
            camera_id: 2
            if one.open_tier is not None or one.building_up
            else int(cameras[camera_id].needs.urgent(at))
            for camera_id, one in facts.items()
        }

    def _account(self, now: float, facts: dict[str, Facts]) -> None:
        passed = 0.0 if self._looked_at is None else now - self._looked_at
        self._looked_at = now
        for camera_id in [known for known in self._places if known not in facts]:
            del self._places[camera_id]
        due = judged = 0
        for camera_id, one in facts.items():
            place = self._places.setdefault(camera_id, _Place(now))
            watched = self._watches(camera_id)
            if self._turn is not None and one.streaming:
                place.remember(passed, watched=watched)
            if watched and one.streaming:
                place.looked_at = now
            place.load.note(now, one.counts)
            if watched:
                its_due, its_judged = place.load.frames()
                due, judged = due + its_due, judged + its_judged
        self._share = min(1.0, judged / due) if due >= FEWEST_DUE else None
        if self._share is None or self._share >= ALMOST_ALL:
            self._enough_at = now

    def _watches(self, camera_id: str) -> bool:
        return self._turn is None or camera_id in self._turn.cameras

    def _find_capacity(
        self, now: float, cameras: dict[str, TurnTaker], facts: dict[str, Facts]
    ) -> float | None:
        settings = self._settings()
        if settings != self._in_force:
            self._in_force, self._turn = settings, None
            automatic = settings.mode == "automatic"
            self._capacity = Capacity(settings.overloaded_below) if automatic else None
        if settings.mode == "always":
            return float(settings.at_once or 1)
        if self._capacity is None:
            return None
        costs = {
            camera_id: self._cost(cameras[camera_id], one)
            for camera_id, one in facts.items()
            if one.streaming
        }
        watched = sum(spent for camera_id, spent in costs.items() if self._watches(camera_id))
        before = self._capacity.carried
        self._capacity.judge(now, self._share, watched=watched, everything=sum(costs.values()))
        carried = self._capacity.carried
        if carried is not None and (before is None or carried < before):
            self._ends_at = min(self._ends_at, now)  # too many are being looked at
        return carried

    def _cost(self, camera: TurnTaker, facts: Facts) -> float:
        if self._settings().mode == "always":
            return 1.0
        load = self._places[camera.settings.camera_id].load
        return cost(load.received_per_s(), facts.pixels, camera.rate, self._inference_s())

    def _line(self, cameras: dict[str, TurnTaker], facts: dict[str, Facts]) -> list[Waiting]:
        """Who could be looked at: a camera without a picture has no turn to lose."""
        there = {camera_id: camera for camera_id, camera in cameras.items() if facts[camera_id].streaming}
        lengths = turn_lengths(
            {camera_id: camera.needs for camera_id, camera in there.items()},
            self._settings().watch_s,
            self._clock.now(),
        )
        return [
            Waiting(
                camera_id=camera_id,
                cost=self._cost(camera, facts[camera_id]),
                watch_s=lengths[camera_id],
                looked_at=self._places[camera_id].looked_at,
                watched=self._places[camera_id].share,
                urgency=self._urgency(camera_id, facts[camera_id]),
                always=camera.settings.always_watched,
            )
            for camera_id, camera in there.items()
        ]

    def _urgency(self, camera_id: str, facts: Facts) -> int:
        """An open violation keeps its camera watched; what only builds up does so for one more turn."""
        if facts.open_tier is not None:
            return 4 - min(3, facts.open_tier) + 1
        return int(facts.building_up and self._watches(camera_id) and not self._places[camera_id].extended)

    def _begin(self, turn: Turn, now: float, facts: dict[str, Facts]) -> None:
        for camera_id, one in facts.items():
            place = self._places[camera_id]
            stays = self._turn is not None and self._watches(camera_id) and camera_id in turn.cameras
            place.extended = stays and one.building_up and one.open_tier is None
            if self._turn is None:
                place.watched = place.passed = 0.0
            if not stays:
                place.load.forget()
        self._turn, self._ends_at = turn, now + turn.seconds
        self._tell(turn)

    def _tell(self, turn: Turn) -> None:
        """Say once in the log what changes for people: how many take turns, and how long any waits."""
        taking = len(turn.revisit_s) - len(turn.kept)
        said = f"{taking} {turn.longest_revisit_s:.0f}"
        if said == self._told or not turn.cameras:
            return
        self._told = said
        if not taking:
            log.info("all cameras are watched", cameras=len(turn.cameras))
            return
        log.info("cameras take turns", cameras=taking, watched_now=len(turn.cameras), kept=len(turn.kept),
                 revisit_s=round(turn.longest_revisit_s))  # fmt: skip
        if turn.longest_revisit_s > self._settings().longest_revisit_s:
            log.warning(too_many(turn, self._settings()))

    def _apply(self, cameras: dict[str, TurnTaker], line: dict[str, Waiting]) -> None:
        turn = self._turn
        assert turn is not None
        for camera_id, camera in cameras.items():
            here = camera_id in turn.cameras
            camera.attend(here)
            place, own = self._places[camera_id], line.get(camera_id)
            camera.judged_share = place.load.share() if here else None
            camera.turns = (
                None
                if own is None or not turn.seconds
                else TurnStatus(
                    watched_now=here,
                    kept=camera_id in turn.kept,
                    share=round(min(1.0, place.share), 4),
                    watch_s=own.watch_s,
                    revisit_s=turn.revisit_s.get(camera_id, turn.longest_revisit_s),
                )
            )

    def _everybody(self, cameras: dict[str, TurnTaker]) -> None:
        if self._turn is not None:
            log.info("cameras take no turns any more", cameras=len(cameras))
        self._turn, self._told = None, ""
        for camera_id, camera in cameras.items():
            camera.attend(True)
            camera.turns = None
            camera.judged_share = self._places[camera_id].load.share()


def too_many(turn: Turn, settings: TurnSettings) -> str:
    """That the wished revisit time cannot be kept: what, how many cameras, what to do."""
    taking = len(turn.revisit_s) - len(turn.kept)
    at_once = max(1, len(turn.cameras) - len(turn.kept))
    carried = at_once * (int(settings.longest_revisit_s / max(turn.seconds, 1.0)) + 1)
    return (
        f"{taking} cameras take turns, {at_once} at a time: one may go without a look for"
        f" {turn.longest_revisit_s:.0f} s, longer than turns.longest_revisit_s"
        f" ({settings.longest_revisit_s:.0f} s). About {carried} cameras would keep it: move some to another"
        " edge, shorten turns.watch_s, or raise longest_revisit_s."
    )


def overloaded(share: float) -> str:
    """That the machine judges only this share of the frames due, and what to do."""
    return (
        f"The machine is overloaded: of the frames due lately, {share:.0%} were looked at. Give it fewer"
        " cameras or a lower analysis.frames_per_second, or let cameras take turns (turns.mode)."
    )
