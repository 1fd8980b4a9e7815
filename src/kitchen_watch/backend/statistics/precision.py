"""How often a source was right, and from which confidence on it would have been. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

STEPS = 20
"""Confidences are counted in steps of 0.05."""
WANTED = 0.9
ENOUGH = 20
"""Fewer judged alerts than that say little."""


@dataclass(slots=True)
class Judged:
    """Judged alerts of one code and source, by step of confidence: (all, false)."""

    code: str
    source: str
    steps: dict[int, tuple[int, int]] = field(default_factory=lambda: defaultdict(lambda: (0, 0)))

    @property
    def judged(self) -> int:
        """All of them."""
        return sum(all_ for all_, _ in self.steps.values())

    @property
    def false_alarms(self) -> int:
        """The false ones."""
        return sum(wrong for _, wrong in self.steps.values())

    @property
    def precision(self) -> float:
        """0..1."""
        return (self.judged - self.false_alarms) / self.judged

    def advice(self) -> tuple[float, float] | None:
        """The lowest threshold from which ``WANTED`` were right, and the share of right ones it keeps.

        ``None`` where there are too few cases, where no threshold reaches it or none is needed.
        """
        if self.judged < ENOUGH or self.precision >= WANTED:
            return None
        right = self.judged - self.false_alarms
        best = None
        kept_all = kept_wrong = 0
        for step in sorted(self.steps, reverse=True):
            all_, wrong = self.steps[step]
            kept_all, kept_wrong = kept_all + all_, kept_wrong + wrong
            if kept_all >= ENOUGH and (kept_all - kept_wrong) / kept_all >= WANTED:
                best = step / STEPS, (kept_all - kept_wrong) / right
        return best


def judged(rows: Iterable[tuple[str, str, int, int, int]]) -> list[Judged]:
    """From (code, source, step of confidence, all, false) rows; the most false alarms first."""
    found: dict[tuple[str, str], Judged] = {}
    for code, source, step, all_, wrong in rows:
        one = found.setdefault((code, source), Judged(code, source))
        before = one.steps[step]
        one.steps[step] = before[0] + all_, before[1] + wrong
    return sorted(found.values(), key=lambda one: (-one.false_alarms, one.code, one.source))
