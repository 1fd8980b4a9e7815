"""The alert figures of a period, asked for once and shared by all sections, and by all nodes of an evening.

Figures come by grid, so those of any node are a sum over the grids below it: what a parent's report
says is what its children's say, added up, and hundreds of reports cost hardly more than one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.states import FINISHED, AlertState
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.organisations.scope import Scope
from kitchen_watch.backend.organisations.tables import NodeRow
from kitchen_watch.backend.statistics.figures import (
    AlertFigures,
    GridSums,
    count_found,
    count_overdue,
    sums_by_grid,
)
from kitchen_watch.backend.statistics.questions import Question, found_by_place_and_kind

_V = TypeVar("_V")
OPEN = frozenset(AlertState) - FINISHED
OpenCases = tuple[int, int, int, int]
"""Overdue, of tier 1, due within a day, waiting for verification."""


class Ledger:
    """Answers for the subtree at ``path`` and everything below it; an empty path is the whole tree."""

    def __init__(self, session: Session, path: str = "") -> None:
        self._session = session
        self._path = path
        self._asked: dict[tuple[object, ...], object] = {}

    def by_grid(
        self, path: str, since_at: datetime, until_at: datetime, *, now: datetime
    ) -> dict[int, GridSums]:
        """Everything counted in the subtree at ``path``, by grid; ``now`` decides what is overdue."""

        def ask() -> dict[int, GridSums]:
            sums = sums_by_grid(self._session, self._question(since_at, until_at), now)
            count_overdue(self._session, self._question(since_at, until_at), now, sums)
            return sums

        inside = self.below(path)
        sums = self.once(("sums", since_at, until_at, now), ask)
        return {grid: one for grid, one in sums.items() if grid in inside}

    def found(self, path: str, since_at: datetime, until_at: datetime) -> GridSums:
        """What was found in the subtree, and how much of it was false: the part that costs one query."""
        inside = self.below(path)
        whole = GridSums()
        question = self._question(since_at, until_at)
        for one in self.once(
            ("found", since_at, until_at), lambda: list(found_by_place_and_kind(self._session, question))
        ):
            if one.node_id in inside:
                for figures in (whole.figures, whole.codes.setdefault(one.code, AlertFigures())):
                    count_found(figures, one)
        return whole

    def open_cases(self, path: str, at: datetime) -> OpenCases:
        """Cases of the subtree that are open, by what they need, as their deadlines stand at ``at``."""

        def ask() -> dict[int, OpenCases]:
            nodes = Scope(everything=not self._path, paths=(self._path,) if self._path else ()).nodes()
            query = (
                select(
                    AlertRow.node_id,
                    func.count().filter(AlertRow.due_at < at),
                    func.count().filter(AlertRow.tier == 1),
                    func.count().filter(AlertRow.due_at >= at, AlertRow.due_at < at + timedelta(days=1)),
                    func.count().filter(AlertRow.state == AlertState.PENDING_VERIFICATION),
                )
                .where(AlertRow.state.in_(OPEN), AlertRow.node_id.in_(select(NodeRow.id).where(nodes)))
                .group_by(AlertRow.node_id)
            )
            return {
                node: (late, severe, soon, waiting)
                for node, late, severe, soon, waiting in self._session.execute(query)
            }

        inside = self.below(path)
        found = [one for node, one in self.once(("open", at), ask).items() if node in inside]
        late, severe, soon, waiting = (sum(part) for part in zip((0, 0, 0, 0), *found, strict=True))
        return late, severe, soon, waiting

    def below(self, path: str) -> frozenset[int]:
        """The node at ``path`` and all below it."""
        paths = self.once(
            ("nodes",), lambda: dict(self._session.execute(select(NodeRow.id, NodeRow.path)).all())
        )
        return frozenset(key for key, below in paths.items() if below.startswith(path))

    def _question(self, since_at: datetime, until_at: datetime) -> Question:
        return Question(
            since_at=since_at,
            until_at=until_at,
            everything=not self._path,
            paths=(self._path,) if self._path else (),
        )

    def once(self, key: tuple[object, ...], ask: Callable[[], _V]) -> _V:
        """The answer under a key, asked for the first time only."""
        if key not in self._asked:
            self._asked[key] = ask()
        return self._asked[key]  # type: ignore[return-value]  # what was asked under this key
