"""``kitchen-watch shadow``: what a new model saw differently, before it may raise anything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Differences of a model that looks along.")

# ruff: noqa: PLC0415 - keeps --help quick

DataDir = Annotated[Path, typer.Option("--data-dir", help="The edge's data_dir.")]
DEFAULT_DIR = Path("var/edge")


@app.command("list")
def list_differences(
    data_dir: DataDir = DEFAULT_DIR,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per difference.")] = False,
) -> None:
    """List what the newest shadow model saw differently, oldest first. The edge may be running."""
    from kitchen_watch.edge.shadow.diary import accounts
    from kitchen_watch.edge.shadow.watching import DIRECTORY

    _, account = accounts(data_dir / DIRECTORY)[0]
    for one in account.differences:
        if as_json:
            typer.echo(one.model_dump_json())
            continue
        said = ", ".join(f"{sight.by} {sight.label} {sight.confidence:.2f}" for sight in one.sights)
        typer.echo(f"{one.at:%Y-%m-%d %H:%M:%S}  {one.camera_id}  {said}")
    typer.echo(
        f"{account.shadow.name} {account.shadow.version} beside {account.current.name} "
        f"{account.current.version}: {account.frames} frames compared, {account.failures} failed",
        err=True,
    )
    for label, count in sorted(account.labels.items()):
        typer.echo(
            f"{label}: both {count.both}, only in force {count.only_current}, "
            f"only in the shadow {count.only_shadow}",
            err=True,
        )


@app.command("report")
def report(
    to: Annotated[Path, typer.Option(help="Folder for the page and its pictures.")],
    data_dir: DataDir = DEFAULT_DIR,
) -> None:
    """Write a page with the pictures on which the two models differ. They show people: keep them safe."""
    from kitchen_watch.edge.shadow.diary import accounts
    from kitchen_watch.edge.shadow.report import write
    from kitchen_watch.edge.shadow.watching import DIRECTORY

    folder, account = accounts(data_dir / DIRECTORY)[0]
    typer.echo(f"Report: {write(folder, account, to)}")
