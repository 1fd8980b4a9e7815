"""The command ``kitchen-watch demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DATA_DIR = Path("var/demo")


def demo(  # noqa: PLR0913 - each is an option of the command line
    *,
    seconds: Annotated[
        float | None, typer.Option("--for", min=1, help="Stream so many seconds, say what came of it, end.")
    ] = None,
    clips: Annotated[
        Path | None, typer.Option(help="Serve the video files in this directory as cameras too.")
    ] = None,
    camera: Annotated[
        list[str] | None,
        typer.Option(help="Add a real camera, rtsp://user:password@host/path; may be repeated."),
    ] = None,
    samples: Annotated[bool, typer.Option(help="Whether to show the sample cameras.")] = True,
    data_dir: Annotated[Path, typer.Option(help="Where films, database and evidence are kept.")] = DATA_DIR,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of the pages; default: 8000 or a free one.")
    ] = None,
    at_once: Annotated[
        int | None,
        typer.Option(min=1, help="Let cameras take turns (patrol mode), so many looked at at a time."),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget earlier alerts and logins first.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Machine-readable lines on standard output.")
    ] = False,
) -> None:
    """Sample cameras, an edge, a backend and its pages on this machine, until Ctrl-C."""
    from kitchen_watch.demo.screen import Screen  # noqa: PLC0415 - loads what only the demo needs
    from kitchen_watch.demo.supervisor import DemoOptions, Supervisor  # noqa: PLC0415 - as above

    options = DemoOptions(
        data_dir=data_dir,
        seconds=seconds,
        port=port,
        clips=clips,
        cameras=tuple(camera or ()),
        samples=samples,
        at_once=at_once,
        fresh=fresh,
    )
    screen = Screen(as_json=as_json)
    try:
        code = Supervisor(options, screen).run()
    except KeyboardInterrupt:
        # Ctrl-C is how a demo without --for ends; with it the run was cut short.
        code = 0 if seconds is None else 130
    if code:
        raise typer.Exit(code)
