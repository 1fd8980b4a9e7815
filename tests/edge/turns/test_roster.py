"""An edge with more cameras than it can look at, on a simulated clock: who is watched, and what is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from kitchen_watch.clock import ManualClock
from kitchen_watch.control import TurnStatus
from kitchen_watch.edge.turns.facts import Facts
from kitchen_watch.edge.turns.load import Counts
from kitchen_watch.edge.turns.needs import Needs
from kitchen_watch.edge.turns.roster import Roster
from kitchen_watch.edge.turns.settings import TurnSettings

SIZE = 1920 * 1080


@dataclass
class Named:
    camera_id: str
    always_watched: bool = False


@dataclass
class Kitchen:
    """A camera at 25 pictures a second; how many of the due frames are judged is the machine's affair."""

    settings: Named
    needs: Needs = field(default_factory=lambda: Needs(15.0))
    rate: float = 5.0
    turns: TurnStatus | None = None
    judged_share: float | None = None
    here: bool = True
    streaming: bool = True
    open_tier: int | None = None
    building_up: bool = False
    due: float = 0.0
    judged: float = 0.0
    received: float = 0.0
    unseen_s: float = 0.0
    longest_unseen_s: float = 0.0

    def facts(self) -> Facts:
        counts = Counts(int(self.due), int(self.judged), int(self.received))
        return Facts(self.streaming, counts, SIZE, self.open_tier, self.building_up)

    def attend(self, here: bool) -> None:
        self.here = here


class Edge:
    """A machine that can judge the frames of ``carries`` cameras; the rest falls evenly."""

    def __init__(self, count: int, carries: float = 100.0, **settings: Any) -> None:
        self.kitchens = [Kitchen(Named(f"cam-{number:02}")) for number in range(count)]
        self.carries = carries
        self.settings = TurnSettings.model_validate(settings)
        self.clock = ManualClock()
        self.ranks: Mapping[str, int] = {}
        self.roster = Roster(
            self.kitchens, lambda: self.settings, clock=self.clock, inference_s=lambda: 0.015,
            prefer=self._prefer,
        )  # fmt: skip

    def _prefer(self, ranks: Mapping[str, int]) -> None:
        self.ranks = ranks

    def passes(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            self.roster.look()
            watched = [kitchen for kitchen in self.kitchens if kitchen.here and kitchen.streaming]
            share = min(1.0, self.carries / len(watched)) if watched else 1.0
            for kitchen in self.kitchens:
                kitchen.received += 25 * kitchen.streaming
                if kitchen in watched:
                    kitchen.due += 5
                    kitchen.judged += 5 * share
                    kitchen.unseen_s = 0
                else:
                    kitchen.unseen_s += 1
                    kitchen.longest_unseen_s = max(kitchen.longest_unseen_s, kitchen.unseen_s)
            self.clock.advance(1)
        self.roster.look()

    def watched(self) -> list[str]:
        return [kitchen.settings.camera_id for kitchen in self.kitchens if kitchen.here]


def always(count: int, at_once: int, **more: Any) -> Edge:
    return Edge(count, mode="always", at_once=at_once, watch_s=30, **more)


def test_two_at_once_of_six_and_everybody_is_told_how_long_it_may_wait() -> None:
    edge = always(6, 2)
    edge.passes(900)
    assert len(edge.watched()) == 2
    for kitchen in edge.kitchens:
        assert kitchen.turns is not None
        assert (kitchen.turns.watch_s, kitchen.turns.revisit_s) == (30, 60)
        assert kitchen.longest_unseen_s <= 60
        assert kitchen.turns.share == pytest.approx(1 / 3, abs=0.04)
    assert edge.roster.warnings() == ()


def test_an_edge_that_takes_no_turns_says_nothing_of_them() -> None:
    edge = Edge(6)
    edge.passes(60)
    assert len(edge.watched()) == 6
    assert [kitchen.turns for kitchen in edge.kitchens] == [None] * 6
    enough = always(3, 4)
    enough.passes(60)
    assert [kitchen.turns for kitchen in enough.kitchens] == [None] * 3


def test_a_turn_is_as_long_as_the_slowest_rule_needs() -> None:
    edge = always(3, 1)
    edge.kitchens[1].needs = Needs(65.0)
    edge.passes(1)
    told = [kitchen.turns.watch_s for kitchen in edge.kitchens if kitchen.turns]
    assert told == [30, 65, 30]


def test_cameras_with_rules_of_tier_1_are_watched_longer() -> None:
    edge = always(4, 1)
    edge.kitchens[0].needs = Needs(15.0, tier_1=True)
    edge.passes(1000)
    shares = [kitchen.turns.share for kitchen in edge.kitchens if kitchen.turns]
    assert shares[0] > 1.2 * max(shares[1:])


def test_an_open_violation_keeps_its_camera_watched_until_it_closes() -> None:
    edge = always(8, 4)
    edge.passes(10)
    found = edge.kitchens[0]
    found.open_tier = 1
    edge.passes(300)
    assert found.longest_unseen_s == 0
    assert found.turns is not None
    assert found.turns.kept
    assert edge.ranks["cam-00"] == 2
    assert max(kitchen.longest_unseen_s for kitchen in edge.kitchens) <= 60
    found.open_tier = None
    edge.passes(300)
    assert found.longest_unseen_s > 0


def test_what_only_builds_up_is_watched_one_turn_longer_and_no_more() -> None:
    edge = always(8, 4)
    edge.passes(10)
    edge.kitchens[0].building_up = True
    edge.passes(45)
    assert edge.kitchens[0].here
    edge.passes(60)
    assert edge.kitchens[0].longest_unseen_s > 0


def test_a_camera_without_a_picture_takes_nobody_s_turn() -> None:
    edge = always(4, 1)
    edge.kitchens[1].streaming = False
    edge.passes(300)
    assert edge.kitchens[1].turns is None
    assert max(edge.kitchens[number].longest_unseen_s for number in (0, 2, 3)) <= 60


def test_the_wish_that_cannot_be_kept_is_told_with_what_to_do() -> None:
    edge = always(12, 2, longest_revisit_s=60)
    edge.passes(5)
    (warning,) = edge.roster.warnings()
    assert "12 cameras take turns, 2 at a time" in warning
    assert "without a look for 150 s" in warning
    assert "About 6 cameras would keep it" in warning


def test_what_is_always_watched_is() -> None:
    edge = always(6, 3)
    edge.kitchens[4].settings.always_watched = True
    edge.passes(300)
    assert edge.kitchens[4].longest_unseen_s == 0
    assert edge.kitchens[0].longest_unseen_s > 0


def test_an_overload_is_told_even_where_no_turns_are_taken() -> None:
    edge = Edge(8, carries=4.0)
    edge.passes(15)
    assert edge.roster.warnings() == (), "a moment is no overload"
    edge.passes(30)
    (warning,) = edge.roster.warnings()
    assert "50% were looked at" in warning
    assert "turns.mode" in warning
    for kitchen in edge.kitchens:
        assert kitchen.judged_share == pytest.approx(0.5, abs=0.02), "evenly, and told of every camera"


def test_an_overloaded_edge_begins_turns_by_itself_and_those_watched_get_their_frames() -> None:
    edge = Edge(12, carries=4.0, mode="automatic")
    edge.passes(400)
    assert 2 <= len(edge.watched()) <= 4
    shares = []
    for _ in range(30):
        edge.passes(1)
        shares += [kitchen.judged_share for kitchen in edge.kitchens if kitchen.judged_share is not None]
    assert shares
    assert min(shares) > 0.85
    bound = max(kitchen.turns.revisit_s for kitchen in edge.kitchens if kitchen.turns)
    for kitchen in edge.kitchens:
        kitchen.longest_unseen_s = 0
    edge.passes(600)
    assert max(kitchen.longest_unseen_s for kitchen in edge.kitchens) <= bound


def test_a_machine_that_is_relieved_looks_at_everybody_again() -> None:
    edge = Edge(8, carries=3.0, mode="automatic")
    edge.passes(300)
    assert len(edge.watched()) < 8
    edge.carries = 20
    edge.passes(2500)
    assert len(edge.watched()) == 8
    assert edge.kitchens[0].turns is None


def test_an_edge_that_keeps_up_takes_no_turns() -> None:
    edge = Edge(12, carries=11.0, mode="automatic")
    edge.passes(600)
    assert len(edge.watched()) == 12


def test_settings_that_change_are_in_force_at_the_next_look() -> None:
    edge = always(6, 2)
    edge.passes(5)
    edge.settings = TurnSettings()
    edge.passes(1)
    assert len(edge.watched()) == 6
    assert edge.kitchens[0].turns is None


def test_always_without_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="at_once"):
        TurnSettings(mode="always")
