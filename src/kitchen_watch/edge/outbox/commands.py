"""``kitchen-watch outbox``: what is not delivered yet, what never will be, and trying that again."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from kitchen_watch.clock import SystemClock
from kitchen_watch.errors import ConfigError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from kitchen_watch.edge.outbox.records import ListedEvent

app = typer.Typer(no_args_is_help=True, help="Events that are not delivered yet.")

DataDir = Annotated[
    Path, typer.Option("--data-dir", help="The edge's data_dir, where its outbox lies.", show_default=True)
]
DEFAULT_DIR = Path("var/edge")


@app.command("list")
def list_events(
    data_dir: DataDir = DEFAULT_DIR,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
    dead: Annotated[bool, typer.Option("--dead", help="Only events that the backend refused.")] = False,
) -> None:
    """List undelivered events, oldest first. The edge may be running."""
    from kitchen_watch.edge.outbox import pending  # noqa: PLC0415 - keeps --help quick
    from kitchen_watch.edge.outbox.records import EventState  # noqa: PLC0415

    states = [EventState.DEAD] if dead else [EventState.PENDING, EventState.DEAD]
    with _connection(data_dir) as connection:
        events = [event for state in states for event in pending.listed(connection, state=state)]
    for event in events:
        typer.echo(json.dumps(_values(event), ensure_ascii=False) if as_json else _line(event))
    if not as_json:
        typer.echo(f"{len(events)} {'dead' if dead else 'undelivered'} events in {data_dir}", err=True)


@app.command("requeue")
def requeue(
    event_id: Annotated[UUID | None, typer.Argument(help="The event; see list --dead.")] = None,
    data_dir: DataDir = DEFAULT_DIR,
    all_dead: Annotated[bool, typer.Option("--all-dead", help="Every dead event.")] = False,
) -> None:
    """Try refused events again, after the reason is out of the world. The edge may be running."""
    from kitchen_watch.edge.outbox import pending  # noqa: PLC0415

    if (event_id is None) == (not all_dead):
        raise ConfigError("Give either the id of one event or --all-dead.")
    with _connection(data_dir) as connection:
        connection.execute("BEGIN IMMEDIATE")
        number = pending.requeue(
            connection, None if event_id is None else [event_id], now=SystemClock().now()
        )
        connection.execute("COMMIT")
    if event_id is not None and number == 0:
        raise ConfigError(
            f"{data_dir}: there is no dead event {event_id}. See: kitchen-watch outbox list --dead"
        )
    typer.echo(f"{number} events will be delivered again", err=True)


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
