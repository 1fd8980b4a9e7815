"""How good the violations of a replayed clip are, against intervals that a person read by eye.

Recall counts truth intervals: one is found when a violation of its code overlaps it. Precision
counts violations: one is right when at least half of its scored time lies inside truth of its code.
Time inside ``ignore_<name>`` intervals and after ``checked_s`` scores neither way; a violation that
lies only there is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from kitchen_watch.config import read_yaml, validate

TRUTH_NAMES = {"NO_HAT": "no_hat", "NO_MASK": "no_mask", "RODENT": "rodent", "COCKROACH": "cockroach"}
"""Violation code → key of the truth file."""

Interval = tuple[float, float]
SHORTEST_S = 0.04
"""A violation seen in one frame has no length; it scores as one frame at 25/s."""


class ClipTruth(BaseModel):
    """What is visible in one clip; intervals are (start, end) in seconds of its time stamps."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    duration_s: float
    checked_s: float | None = None
    no_hat: tuple[Interval, ...] = ()
    no_mask: tuple[Interval, ...] = ()
    rodent: tuple[Interval, ...] = ()
    cockroach: tuple[Interval, ...] = ()
    ignore_no_hat: tuple[Interval, ...] = ()
    ignore_no_mask: tuple[Interval, ...] = ()

    def truth(self, code: str) -> tuple[Interval, ...]:
        """Intervals in which the violation is visible."""
        intervals: tuple[Interval, ...] = getattr(self, TRUTH_NAMES[code])
        return intervals

    def ignored(self, code: str) -> tuple[Interval, ...]:
        """Intervals that score neither way."""
        intervals: tuple[Interval, ...] = getattr(self, f"ignore_{TRUTH_NAMES[code]}", ())
        if self.checked_s is not None:
            intervals = (*intervals, (self.checked_s, max(self.duration_s, self.checked_s) + 3600.0))
        return intervals


@dataclass(frozen=True, slots=True)
class Found:
    """One violation that a replay printed."""

    code: str
    started_s: float
    ended_s: float


@dataclass(frozen=True, slots=True)
class CodeScore:
    """Counts of one code over any number of clips; they add up."""

    truths: int = 0
    hit: int = 0
    right: int = 0
    wrong: int = 0

    def __add__(self, other: CodeScore) -> CodeScore:
        return CodeScore(
            self.truths + other.truths, self.hit + other.hit, self.right + other.right,
            self.wrong + other.wrong,
        )  # fmt: skip

    @property
    def recall(self) -> float | None:
        """Truth intervals hit ÷ truth intervals; ``None`` without any."""
        return self.hit / self.truths if self.truths else None

    @property
    def precision(self) -> float | None:
        """Right violations ÷ scored violations; ``None`` without any."""
        scored = self.right + self.wrong
        return self.right / scored if scored else None


def load_truth(path: Path) -> dict[str, ClipTruth]:
    """Read ``events.yaml``: clip file name → truth.

    Raises:
        ConfigError: the file is missing or not of that form.
    """
    values, lines = read_yaml(path)
    return {
        name: validate(clip, ClipTruth, where=f"{path}, line {lines.get((name,), 1)}, {name}")
        for name, clip in values.items()
    }


def score(truth: ClipTruth, found: Iterable[Found]) -> dict[str, CodeScore]:
    """Score one clip's violations, by code; codes without truth names are not scored."""
    violations = list(found)
    return {
        code: _score_code(
            truth.truth(code), truth.ignored(code), [item for item in violations if item.code == code]
        )
        for code in TRUTH_NAMES
    }


def total(scores: Iterable[Mapping[str, CodeScore]]) -> dict[str, CodeScore]:
    """Sum over clips, by code."""
    summed = dict.fromkeys(TRUTH_NAMES, CodeScore())
    for clip in scores:
        for code, value in clip.items():
            summed[code] += value
    return summed


def _score_code(truths: Sequence[Interval], ignored: Sequence[Interval], found: Sequence[Found]) -> CodeScore:
    spans = [(item.started_s, max(item.ended_s, item.started_s + SHORTEST_S)) for item in found]
    hit = sum(any(_overlap(span, truth) > 0 for span in spans) for truth in truths)
    right = wrong = 0
    for span in spans:
        outside = _subtract(span, ignored)
        scored = sum(end - start for start, end in outside)
        inside = sum(_overlap(part, truth) for part in outside for truth in truths)
        if scored <= 0:
            continue
        if inside * 2 >= scored:
            right += 1
        else:
            wrong += 1
    return CodeScore(truths=len(truths), hit=hit, right=right, wrong=wrong)


def _overlap(first: Interval, second: Interval) -> float:
    return max(0.0, min(first[1], second[1]) - max(first[0], second[0]))


def _subtract(span: Interval, holes: Sequence[Interval]) -> list[Interval]:
    parts = [span]
    for low, high in holes:
        parts = [
            piece
            for start, end in parts
            for piece in ((start, min(end, low)), (max(start, high), end))
            if piece[1] > piece[0]
        ]
    return parts
