"""Commands of the cluster: start a machine, look at all of them, empty one, take over a changed file."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kitchen_watch.errors import ClusterError, ConfigError

if TYPE_CHECKING:
    from kitchen_watch.cluster.configuration import ClusterFile

app = typer.Typer(no_args_is_help=True)

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", help="The cluster's YAML file, the same on all machines.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable, on standard output.")]
START_LIMIT_S = 60.0
LOOK_S = 0.5
DRAIN_LIMIT_S = 600.0


@app.command()
def start(
    config: ConfigOption,
    *,
    head: Annotated[bool, typer.Option("--head", help="This is the first machine.")] = False,
    join: Annotated[str | None, typer.Option(help="HOST:PORT of the first machine's Ray.")] = None,
    cores: Annotated[
        float | None, typer.Option(min=0, help="Cores for groups; 0: none here. Default: all.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="What this machine is called. Default: its address.")
    ] = None,
) -> None:
    """Make this machine part of the cluster until SIGTERM or Ctrl-C. The first one takes --head."""
    from kitchen_watch.cluster import starting  # noqa: PLC0415 - as below

    file = _open(config)
    command = starting.start_command(
        file, head=head, join=join, cores=starting.cores_here() if cores is None else cores, name=name
    )
    ray = starting.start(file, command, starting.environment(file.settings.ray, config))
    told: list[int] = []

    def end(number: int, _frame: object) -> None:
        told.append(number)
        ray.terminate()

    _on_signals(end)
    try:
        address = join or file.settings.ray.address
        if head:
            address = _serve_control_room(file, running=lambda: ray.poll() is None and not told)
            _on_signals(end)  # the connection to Ray has taken them over
        starting.keep_address(file, address)
        code = ray.wait()
    finally:
        ray.terminate()
        ray.wait()
    if code and not told:
        raise ClusterError(f"Ray ended with code {code}; its logs are in ray.directory.")


@app.command()
def status(config: ConfigOption, *, as_json: JsonOption = False) -> None:
    """Show machines, groups, their cost and what is wrong. Run it on one of the machines."""
    from rich.console import Console  # noqa: PLC0415 - quick start

    from kitchen_watch.cluster import showing, starting  # noqa: PLC0415

    with starting.connected(starting.known_address(_open(config))):
        seen = starting.ask_status()
    if as_json:
        typer.echo(json.dumps(showing.as_json(seen), ensure_ascii=False))
    else:
        Console().print(showing.as_tables(seen))


@app.command()
def drain(
    node: Annotated[str, typer.Argument(help="The machine, as status calls it.")],
    config: ConfigOption,
    *,
    undo: Annotated[bool, typer.Option("--undo", help="It may have groups again.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Give a machine's groups away, one at a time; returns when it has none. Then it may be stopped."""
    from kitchen_watch.cluster import showing, starting  # noqa: PLC0415 - quick start

    with starting.connected(starting.known_address(_open(config))):
        seen = starting.ask_status()
        newest = seen.moves[-1].at if seen.moves else None
        node_id = starting.ask_control_room("drain", node, undo)
        if undo:
            typer.echo(f"{node} may have groups again.", err=as_json)
            return
        end = time.monotonic() + DRAIN_LIMIT_S
        while True:
            seen = starting.ask_status()
            for move in seen.moves:
                if newest is None or move.at > newest:
                    newest = move.at
                    line = json.dumps(showing.as_json(move), ensure_ascii=False)
                    typer.echo(
                        line
                        if as_json
                        else f"{move.edge_id}: {move.source} → {move.target}, gap {showing.gap(move)}"
                    )
            left = [one for one in seen.nodes if one.node_id == node_id and one.groups]
            if not left and seen.moving is None:
                typer.echo(f"{node} has no groups any more.", err=as_json)
                return
            if time.monotonic() > end:
                raise ClusterError(f"{node} still has groups. It goes on giving them away; see status.")
            time.sleep(LOOK_S)


@app.command()
def reload(config: ConfigOption, *, as_json: JsonOption = False) -> None:
    """Take over groups and cameras of the changed file, which must be the same on all machines.
    Other groups go on untouched; a file that anybody refuses changes nothing."""
    from kitchen_watch.cluster import showing, starting  # noqa: PLC0415 - quick start

    with starting.connected(starting.known_address(_open(config))):
        report = starting.ask_control_room("reload")
    if as_json:
        typer.echo(json.dumps(showing.as_json(report), ensure_ascii=False))
        return
    for what, groups in showing.as_json(report).items():
        if groups:
            typer.echo(f"{what}: {', '.join(groups)}")


def _on_signals(end: Callable[[int, object], None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)


def _serve_control_room(file: ClusterFile, *, running: Callable[[], bool]) -> str:
    """Start the control room as soon as Ray is up here; where Ray is."""
    from kitchen_watch.cluster import starting  # noqa: PLC0415

    address = f"127.0.0.1:{file.settings.ray.port}"
    end = time.monotonic() + START_LIMIT_S
    while True:
        try:
            with starting.connected(address):
                starting.open_control_room()
                starting.ask_status()
                return address
        except ClusterError:
            if not running():
                raise ClusterError("Ray did not start; what it said stands above.") from None
            if time.monotonic() > end:
                raise
            time.sleep(LOOK_S)


def _open(config: Path) -> ClusterFile:
    try:
        import ray  # noqa: F401, PLC0415 - is it there?
    except ImportError:
        raise ConfigError(
            "Ray is not installed. Install it with: pip install 'kitchen-watch[cluster]'"
        ) from None
    from kitchen_watch.cluster.configuration import ClusterFile  # noqa: PLC0415

    return ClusterFile(config)
