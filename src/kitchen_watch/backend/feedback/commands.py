"""`kitchen-watch dataset export`: judged boxes from the backend's own database and files."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

# FastAPI and SQLAlchemy are imported inside the command: --help stays quick.
# ruff: noqa: PLC0415


def export(
    to: Annotated[Path, typer.Option(help="Data folder; train/feedback is written below it.")],
    config: Annotated[Path | None, typer.Option(help="The backend's YAML file.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Alerts found from this day on (UTC).")] = None,
) -> None:
    """Export judged alerts as a group of pictures that `train` takes; run it where the backend runs."""
    from datetime import UTC

    from kitchen_watch.backend.app import make_parts
    from kitchen_watch.backend.audit.service import Actor
    from kitchen_watch.backend.commands import read_settings
    from kitchen_watch.backend.feedback import service
    from kitchen_watch.backend.migrations.apply import upgrade
    from kitchen_watch.backend.organisations.scope import Scope
    from kitchen_watch.clock import SystemClock

    parts = make_parts(read_settings(config), SystemClock())
    upgrade(parts.database)
    start = since.replace(tzinfo=UTC) if since is not None else None
    with tempfile.TemporaryFile() as file:
        made = service.export(
            parts.database, parts.evidence, Scope(everything=True), file,
            by=Actor(None, "command line"), now=parts.clock.now(), since=start,
        )  # fmt: skip
        service.unpack(file, to)
    parts.database.close()
    typer.echo(f"{made.pictures} pictures in {to / 'train' / 'feedback'}")
    for label, count in sorted(made.by_label.items()):
        typer.echo(f"  {label}: {count}")
    for why, count in sorted(made.left_out.items()):
        typer.echo(f"left out, {why}: {count}")
