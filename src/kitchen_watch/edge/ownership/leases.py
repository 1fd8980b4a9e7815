"""Leases: who runs an edge, by the database's clock alone.

A lease is a row with a token that grows with every owner and never falls. Whoever holds the highest is
the owner, also after its time is up, until another one has taken the edge over; from that moment on
every renewal, every outbox transaction and every request to the backend of the old one fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pydantic import SecretStr

from kitchen_watch.edge.ownership.database import connect, driver, prepare, shown
from kitchen_watch.edge.ownership.schema import SCHEMA
from kitchen_watch.errors import LeaseHeld, LeaseLost, LeasesUnreachable

TERM = timedelta(seconds=10)
_LEASES = f"{SCHEMA}.leases"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to run one edge. ``until`` is the database's time, for people to read."""

    edge_id: str
    owner: str
    token: int
    until: datetime


class Leases:
    """The leases of one cluster. Every call opens a connection of its own and may take seconds:
    call it in a thread. Safe to use from several."""

    def __init__(self, url: SecretStr) -> None:
        self._url = url

    def acquire(self, edge_id: str, owner: str, *, term: timedelta = TERM, takeover: bool = False) -> Lease:
        """Become the owner, with a token higher than any before.

        ``takeover`` does not wait for the end of the present owner's lease: for those who know that it
        is gone. It is safe in any case, because the old owner is fenced off.

        Raises:
            LeaseHeld: another owner's lease still runs.
            LeasesUnreachable: the database does not answer.
        """

        def work(connection: Any) -> Lease:
            prepare(connection, self._url)
            row = connection.execute(
                f"INSERT INTO {_LEASES} AS known (edge_id, token, owner, until, taken_at)"  # noqa: S608
                " VALUES (%(edge)s, 1, %(owner)s, clock_timestamp() + %(term)s, clock_timestamp())"
                " ON CONFLICT (edge_id) DO UPDATE SET token = known.token + 1, owner = excluded.owner,"
                " until = clock_timestamp() + %(term)s, taken_at = clock_timestamp()"
                " WHERE %(takeover)s OR known.until <= clock_timestamp() RETURNING token, until",
                {"edge": edge_id, "owner": owner, "term": term, "takeover": takeover},
            ).fetchone()
            if row is not None:
                return Lease(edge_id, owner, row[0], row[1])
            holder, until = connection.execute(
                f"SELECT owner, until FROM {_LEASES} WHERE edge_id = %s",  # noqa: S608
                (edge_id,),
            ).fetchone()
            raise LeaseHeld(
                f"The edge {edge_id} is run by {holder}, whose lease ends at {until:%H:%M:%S} unless it is "
                "renewed. Stop it there first, or wait.",
                owner=holder,
                until=until,
            )

        return self._with_connection(work)

    def renew(self, lease: Lease, *, term: timedelta = TERM) -> Lease:
        """Keep it for another term; also one whose time is up, as long as nobody else has taken it.

        Raises:
            LeaseLost: another owner has taken the edge over.
            LeasesUnreachable: the database does not answer; the lease may still be ours.
        """

        def work(connection: Any) -> Lease:
            row = connection.execute(
                f"UPDATE {_LEASES} SET until = clock_timestamp() + %s"  # noqa: S608
                " WHERE edge_id = %s AND token = %s RETURNING until",
                (term, lease.edge_id, lease.token),
            ).fetchone()
            if row is None:
                raise lost(connection, lease)
            return Lease(lease.edge_id, lease.owner, lease.token, row[0])

        return self._with_connection(work)

    def release(self, lease: Lease) -> None:
        """Give it back, so that the next owner need not wait; nothing happens if it is not ours any more.

        Raises:
            LeasesUnreachable: the database does not answer; it ends by itself.
        """

        def work(connection: Any) -> None:
            connection.execute(
                f"UPDATE {_LEASES} SET until = clock_timestamp()"  # noqa: S608
                " WHERE edge_id = %s AND token = %s AND until > clock_timestamp()",
                (lease.edge_id, lease.token),
            )

        self._with_connection(work)

    def present(self) -> list[Lease]:
        """Every lease that runs, by edge.

        Raises:
            LeasesUnreachable: the database does not answer.
        """

        def work(connection: Any) -> list[Lease]:
            prepare(connection, self._url)
            rows = connection.execute(
                f"SELECT edge_id, owner, token, until FROM {_LEASES}"  # noqa: S608
                " WHERE until > clock_timestamp() ORDER BY edge_id"
            )
            return [Lease(*row) for row in rows]

        return self._with_connection(work)

    def _with_connection(self, work: Callable[[Any], T]) -> T:
        psycopg = driver()
        try:
            connection = connect(self._url)
            try:
                return work(connection)
            finally:
                connection.close()
        except psycopg.Error as error:
            raise LeasesUnreachable(
                f"{shown(self._url)}: the leases cannot be read or written: {error}. Check the database."
            ) from error


def check(connection: Any, lease: Lease) -> None:
    """Hold off every other owner until this transaction ends.

    Raises:
        LeaseLost: there is one already.
    """
    row = connection.execute(
        f"SELECT token FROM {_LEASES} WHERE edge_id = %s FOR SHARE",  # noqa: S608
        (lease.edge_id,),
    ).fetchone()
    if row is None or row[0] != lease.token:
        raise lost(connection, lease)


def lost(connection: Any, lease: Lease) -> LeaseLost:
    """Who has the edge now, in words."""
    row = connection.execute(
        f"SELECT owner, token FROM {_LEASES} WHERE edge_id = %s",  # noqa: S608
        (lease.edge_id,),
    ).fetchone()
    who = f"{row[0]} with token {row[1]}" if row is not None else "nobody"
    return LeaseLost(
        f"The edge {lease.edge_id} was taken over by {who}; {lease.owner} with token {lease.token} stops."
    )
