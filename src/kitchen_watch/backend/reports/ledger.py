"""The alert figures of a period, asked for once and shared by all sections, and by all nodes of an evening.

Figures come by grid, so those of any node are a sum over the grids below it: what a parent's report
says is what its children's say, added up, and hundreds of reports cost hardly more than one.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.organisations.tables import NodeRow
from kitchen_watch.backend.statistics.figures import GridSums, count_overdue, sums_by_grid
from kitchen_watch.backend.statistics.questions import Question


class Ledger:
    """Answers for the subtree at ``path`` and everything below it; an empty path is the whole tree."""

    def __init__(self, session: Session, path: str = "") -> None:
        self._session = session
        self._path = path
        self._asked: dict[tuple[datetime, datetime, datetime], dict[int, GridSums]] = {}
        self._paths: dict[int, str] = {}

    def by_grid(
        self, path: str, since_at: datetime, until_at: datetime, *, now: datetime
    ) -> dict[int, GridSums]:
        """What was counted in the subtree at ``path``, by grid; ``now`` decides what is overdue."""
        inside = self.below(path)
        sums = self._ask(since_at, until_at, now)
        return {grid: one for grid, one in sums.items() if grid in inside}

    def below(self, path: str) -> frozenset[int]:
        """The node at ``path`` and all below it."""
        if not self._paths:
            self._paths = dict(self._session.execute(select(NodeRow.id, NodeRow.path)).all())
        return frozenset(key for key, below in self._paths.items() if below.startswith(path))

    def _ask(self, since_at: datetime, until_at: datetime, now: datetime) -> dict[int, GridSums]:
        key = (since_at, until_at, now)
        if key not in self._asked:
            question = Question(
                since_at=since_at,
                until_at=until_at,
                everything=not self._path,
                paths=(self._path,) if self._path else (),
            )
            self._asked[key] = sums_by_grid(self._session, question, now)
            count_overdue(self._session, question, now, self._asked[key])
        return self._asked[key]
