"""The outbox in a cluster's PostgreSQL, beside those of other edges, and the one place where its errors
become ours."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import SecretStr

from kitchen_watch.edge.outbox.database import Work
from kitchen_watch.edge.ownership.database import connect, driver, prepare, shown
from kitchen_watch.edge.ownership.leases import Lease, check
from kitchen_watch.edge.ownership.schema import EDGE, SCHEMA
from kitchen_watch.errors import ConfigError, EvidenceError, LeaseLost

T = TypeVar("T")
_MARK = re.compile(r"\?|:(?P<name>[a-z_]+)")


@dataclass(frozen=True, slots=True)
class SharedDatabase:
    """A cluster's database, and by which right an edge writes there."""

    url: SecretStr
    lease: Lease


class PostgresOutbox:
    """One edge's rows. Connects anew whenever the connection was lost; a server that is away for a
    while costs nothing but waiting.

    With a ``lease`` every transaction first makes sure that nobody has taken the edge over, and keeps
    others from doing so until it ends. Without one (for people's commands) nothing is checked.
    """

    def __init__(self, url: SecretStr, *, edge_id: str, lease: Lease | None) -> None:
        self._psycopg = driver()
        self._url = url
        self._edge_id = edge_id
        self._lease = lease
        self._connection: Any = None
        self._lost: str | None = None

    def transact(self, work: Work[T]) -> T:
        """Do ``work`` in a transaction of its own, durable on return.

        Raises:
            EvidenceError: the database does not take it; nothing of ``work`` is kept, unless the
                connection broke in the moment of the commit, where nobody knows.
            LeaseLost: the edge has a newer owner; nothing of ``work`` is kept.
            ConfigError: a newer kitchen-watch made the tables.
        """
        if self._lost is not None:
            raise LeaseLost(self._lost)
        stale = self._connection is not None
        try:
            try:
                return self._once(work)
            except self._psycopg.OperationalError:
                # A connection that lay idle while the server restarted: its first use tells.
                if not stale or self._connection is not None:
                    raise
                return self._once(work)
        except (LeaseLost, ConfigError) as error:
            self.close()
            if isinstance(error, LeaseLost):
                self._lost = str(error)  # for good: it need not be asked again
            raise
        except self._psycopg.Error as error:
            raise EvidenceError(
                f"{shown(self._url)}: the outbox cannot be written: {error}. Check the database."
            ) from error

    def tidy(self) -> None:
        """Nothing lies beside the tables."""

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(self._psycopg.Error):
                connection.close()

    def _once(self, work: Work[T]) -> T:
        try:
            connection = self._connected()
            with connection.transaction():
                connection.execute(
                    f"SELECT set_config('{EDGE}', %s, true), set_config('search_path', '{SCHEMA}', true)",
                    (self._edge_id,),
                )
                if self._lease is not None:
                    check(connection, self._lease)
                return work(_Translating(connection))
        except self._psycopg.OperationalError:
            if self._connection is not None and self._connection.closed:
                self.close()
            raise

    def _connected(self) -> Any:
        if self._connection is None:
            connection = connect(self._url)
            try:
                prepare(connection, self._url)
            except (self._psycopg.Error, ConfigError):
                connection.close()
                raise
            self._connection = connection
        return self._connection


class _Row(tuple[Any, ...]):
    """Values in order, which can also be asked for by their column's name."""

    names: Mapping[str, int]

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(self.names[key] if isinstance(key, str) else key)


def _rows(cursor: Any) -> Any:
    names = {column.name: number for number, column in enumerate(cursor.description or ())}
    kind = type("_NamedRow", (_Row,), {"names": names})
    return kind


class _Translating:
    """A transaction that takes the outbox's statements as they are."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = (), /) -> Any:
        """Run one statement."""
        return self._connection.cursor(row_factory=_rows).execute(_translated(sql), parameters)

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Any:
        """Run one statement for each of ``parameters``."""
        cursor = self._connection.cursor()
        cursor.executemany(_translated(sql), parameters)
        return cursor


@lru_cache(maxsize=200)
def _translated(sql: str) -> str:
    """``?`` and ``:name`` as psycopg writes them; no statement of the outbox has either in a text."""
    return _MARK.sub(lambda found: f"%({found['name']})s" if found["name"] else "%s", sql.replace("%", "%%"))
