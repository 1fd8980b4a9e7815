"""What the outbox's statements run on: an edge's own SQLite file, or a cluster's PostgreSQL.

Statements are written once, in what both databases understand, with ``?`` or ``:name`` for values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")

Row = Any
"""Read by name or by number."""


class Cursor(Protocol):
    """What a statement gave."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""
        ...

    def fetchone(self) -> Row:
        """The next row, or ``None``."""
        ...

    def fetchall(self) -> list[Row]:
        """Every row that is left."""
        ...

    def __iter__(self) -> Iterator[Row]: ...


class Connection(Protocol):
    """An open transaction."""

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ..., /) -> Cursor:
        """Run one statement."""
        ...

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Any:
        """Run one statement for each of ``parameters``."""
        ...


Work = Callable[[Connection], T]


class OutboxDatabase(Protocol):
    """One edge's outbox as a place to work in. Used by one thread at a time."""

    def transact(self, work: Work[T]) -> T:
        """Do ``work`` in a transaction of its own, durable on return.

        Raises:
            EvidenceError: it cannot be written; nothing of ``work`` is kept.
            LeaseLost: the edge has a newer owner; nothing of ``work`` is kept.
        """
        ...

    def tidy(self) -> None:
        """Put in order what is beside the tables. Never raises."""
        ...

    def close(self) -> None:
        """Let others have it."""
        ...
