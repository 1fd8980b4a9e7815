"""``kitchen-watch outbox``: what is not delivered yet, what never will be, and trying that again."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar
from uuid import UUID

import typer

from kitchen_watch.clock import SystemClock
from kitchen_watch.errors import ConfigError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

    from kitchen_watch.edge.outbox.database import Connection
    from kitchen_watch.edge.outbox.records import ListedEvent

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="Events that are not delivered yet.")

DataDir = Annotated[
    Path, typer.Option("--data-dir", help="The edge's data_dir, where its outbox lies.", show_default=True)
]
DEFAULT_DIR = Path("var/edge")
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="The edge's YAML file: finds its outbox, also in a cluster."),
]


@app.command("list")
def list_events(
    data_dir: DataDir = DEFAULT_DIR,
    config: ConfigFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
    dead: Annotated[bool, typer.Option("--dead", help="Only events that the backend refused.")] = False,
) -> None:
    """List undelivered events, oldest first. The edge may be running."""
    from kitchen_watch.edge.outbox import pending  # noqa: PLC0415 - keeps --help quick
    from kitchen_watch.edge.outbox.records import EventState  # noqa: PLC0415

    states = [EventState.DEAD] if dead else [EventState.PENDING, EventState.DEAD]

    def found(connection: Connection) -> list[ListedEvent]:
        return [event for state in states for event in pending.listed(connection, state=state)]

    place, events = _transact(data_dir, config, found)
    for event in events:
        typer.echo(json.dumps(_values(event), ensure_ascii=False) if as_json else _line(event))
    if not as_json:
        typer.echo(f"{len(events)} {'dead' if dead else 'undelivered'} events in {place}", err=True)


@app.command("requeue")
def requeue(
    event_id: Annotated[UUID | None, typer.Argument(help="The event; see list --dead.")] = None,
    data_dir: DataDir = DEFAULT_DIR,
    config: ConfigFile = None,
    all_dead: Annotated[bool, typer.Option("--all-dead", help="Every dead event.")] = False,
) -> None:
    """Try refused events again, after the reason is out of the world. The edge may be running."""
    from kitchen_watch.edge.outbox import pending  # noqa: PLC0415

    if (event_id is None) == (not all_dead):
        raise ConfigError("Give either the id of one event or --all-dead.")
    ids = None if event_id is None else [event_id]
    place, number = _transact(
        data_dir, config, lambda connection: pending.requeue(connection, ids, now=SystemClock().now())
    )
    if event_id is not None and number == 0:
        raise ConfigError(
            f"{place}: there is no dead event {event_id}. See: kitchen-watch outbox list --dead"
        )
    typer.echo(f"{number} events will be delivered again", err=True)


def _transact(data_dir: Path, config: Path | None, work: Callable[[Connection], T]) -> tuple[str, T]:
    """Do ``work`` in the outbox that is meant; where that is, for people, and the result.

    Raises:
        ConfigError: there is none, or it cannot be read.
    """
    if config is not None:
        from kitchen_watch.edge.configuration import load_configuration  # noqa: PLC0415

        settings = load_configuration(config).settings
        data_dir = settings.data_dir
        if settings.outbox.url is not None:
            from kitchen_watch.edge.outbox.postgres import PostgresOutbox  # noqa: PLC0415
            from kitchen_watch.edge.ownership.database import shown  # noqa: PLC0415

            # Without a lease: a person changes nothing that the edge's owner would have to know first.
            database = PostgresOutbox(settings.outbox.url, edge_id=settings.edge_id, lease=None)
            try:
                return f"{settings.edge_id} at {shown(settings.outbox.url)}", database.transact(work)
            finally:
                database.close()
    with _connection(data_dir) as connection:
        connection.execute("BEGIN IMMEDIATE")
        result = work(connection)
        connection.execute("COMMIT")
    return str(data_dir), result


@contextmanager
def _connection(data_dir: Path) -> Iterator[sqlite3.Connection]:
    """The outbox's database, for one use.

    Raises:
        ConfigError: there is none, or it cannot be read.
    """
    import sqlite3  # noqa: PLC0415

    from kitchen_watch.edge.outbox.schema import FILE_NAME, connect  # noqa: PLC0415

    path = data_dir / FILE_NAME
    if not path.is_file():
        raise ConfigError(f"{path}: there is no outbox. Give the edge's data_dir with --data-dir.")
    try:
        connection = connect(path)
        try:
            yield connection
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise ConfigError(
            f"{path}: cannot be read: {error}. Start the edge, which sets a damaged one aside."
        ) from error


def _values(event: ListedEvent) -> dict[str, object]:
    return {
        "event_id": str(event.event_id),
        "violation_id": str(event.violation_id),
        "sequence": event.sequence,
        "kind": event.kind.value,
        "code": event.code,
        "camera_id": event.camera_id,
        "state": event.state.value,
        "attempts": event.attempts,
        "created_at": event.created_at.isoformat(),
        "next_attempt_at": event.next_attempt_at.isoformat(),
        "last_error": event.last_error,
    }


def _line(event: ListedEvent) -> str:
    what = f"{event.state.value:8} {event.code:16} {event.kind.value.removeprefix('violation_'):8}"
    why = f"  {event.last_error}" if event.last_error else ""
    return f"{event.created_at:%Y-%m-%d %H:%M:%S}Z  {what} {event.camera_id}  {event.event_id}{why}"
