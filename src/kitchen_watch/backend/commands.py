"""Commands of the backend: run it, print its OpenAPI document, make the first logins."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kitchen_watch.errors import ConfigError

if TYPE_CHECKING:
    from kitchen_watch.backend.settings import BackendSettings

# FastAPI, SQLAlchemy and what they bring are imported inside the commands: --help stays quick.
# ruff: noqa: PLC0415

_Config = Annotated[
    Path | None, typer.Option("--config", help="YAML file (see configs/backend.example.yaml)")
]


def backend(
    config: _Config = None,
    host: Annotated[str | None, typer.Option(help="address to listen on, instead of the file's")] = None,
    port: Annotated[int | None, typer.Option(help="port to listen on, instead of the file's")] = None,
) -> None:
    """Run the supervision service until Ctrl-C."""
    import structlog

    from kitchen_watch.backend.app import create_app
    from kitchen_watch.backend.auth.people import count_people
    from kitchen_watch.backend.serving import address_of, bind, server_for
    from kitchen_watch.logs import configure_logs

    settings = read_settings(config, host=host, port=port)
    with bind(settings.host, settings.port) as listener:
        configure_logs(log_format=settings.log_format, level=settings.log_level)
        log = structlog.get_logger(__name__)
        app = create_app(settings)
        with app.state.parts.database.read() as session:
            if count_people(session) == 0:
                log.warning("nobody can log in yet", hint="kitchen-watch people add --role admin NAME")
        log.info("backend listens", address=address_of(listener), public_url=settings.public_url)
        server_for(app, settings).run(sockets=[listener])


def openapi() -> None:
    """Print the OpenAPI document of the service."""
    from kitchen_watch.backend.app import create_app
    from kitchen_watch.backend.settings import BackendSettings

    with tempfile.TemporaryDirectory() as directory:
        app = create_app(BackendSettings(data_dir=Path(directory)))
        typer.echo(json.dumps(app.openapi(), ensure_ascii=False, indent=2))
        app.state.parts.database.close()


COMMANDS = {"backend": backend, "openapi": openapi}

people_app = typer.Typer(no_args_is_help=True)


@people_app.command("add")
def add(
    username: Annotated[str, typer.Argument(help="login name: a-z 0-9 . _ -")],
    role: Annotated[str, typer.Option(help="admin, supervisor, grid_officer, responsible_official, ...")],
    name: Annotated[str, typer.Option(help="the name that others see")] = "",
    node: Annotated[str | None, typer.Option(help="code of the node (grid officers)")] = None,
    premises: Annotated[str | None, typer.Option(help="licence number (restaurants)")] = None,
    group: Annotated[str | None, typer.Option(help="code of the supervision group (supervisors)")] = None,
    config: _Config = None,
) -> None:
    """Make a login and print its one-time password."""
    from kitchen_watch.backend.app import make_parts
    from kitchen_watch.backend.auth.roles import Role
    from kitchen_watch.backend.migrations.apply import upgrade
    from kitchen_watch.backend.organisations.seed import apply_district
    from kitchen_watch.clock import SystemClock

    if role not in set(Role):
        raise ConfigError(f"--role: there is no role {role}. Choose one of: {', '.join(Role)}.")
    person = {
        "username": username, "display_name": name or username, "role": role,
        "node": node, "premises": premises, "group": group,
    }  # fmt: skip
    parts = make_parts(read_settings(config), SystemClock())
    upgrade(parts.database)
    with parts.database.write() as session:
        seeded = apply_district(session, {"people": [person]}, vault=parts.vault, now=parts.clock.now())
    parts.database.close()
    if not seeded.passwords:
        raise ConfigError(f"people: the login {username} exists. For a new password: people reset {username}")
    for login, password in seeded.passwords.items():
        typer.echo(f"{login} may log in once with: {password}")


@people_app.command("reset")
def reset(username: Annotated[str, typer.Argument(help="login name")], config: _Config = None) -> None:
    """Give a login a new one-time password and end its sessions."""
    from kitchen_watch.backend.app import make_parts
    from kitchen_watch.backend.auth.people import reset_password
    from kitchen_watch.backend.migrations.apply import upgrade
    from kitchen_watch.clock import SystemClock

    parts = make_parts(read_settings(config), SystemClock())
    upgrade(parts.database)
    with parts.database.write() as session:
        password = reset_password(session, username)
    parts.database.close()
    typer.echo(f"{username} may log in once with: {password}")


@people_app.command("seed")
def seed(
    district: Annotated[Path, typer.Argument(help="YAML file with nodes, edges, groups and people")],
    config: _Config = None,
    reissue: Annotated[
        bool, typer.Option("--reissue", help="new one-time passwords for those who never chose their own")
    ] = False,
) -> None:
    """Put a district into the database and print what was made: one-time passwords and edge secrets."""
    from kitchen_watch.backend.app import make_parts
    from kitchen_watch.backend.migrations.apply import upgrade
    from kitchen_watch.backend.organisations.seed import DistrictSpec, apply_district
    from kitchen_watch.clock import SystemClock
    from kitchen_watch.config import load_settings

    spec = load_settings(district, DistrictSpec)
    parts = make_parts(read_settings(config), SystemClock())
    upgrade(parts.database)
    with parts.database.write() as session:
        seeded = apply_district(session, spec, vault=parts.vault, now=parts.clock.now(), reissue=reissue)
    parts.database.close()
    for login, password in seeded.passwords.items():
        typer.echo(f"{login} may log in once with: {password}")
    for edge_id, secret in seeded.edge_secrets.items():
        typer.echo(f"the edge {edge_id} signs with: {secret.get_secret_value()}")


def read_settings(config: Path | None, **overrides: object) -> BackendSettings:
    """The settings in ``config``, or the defaults; ``overrides`` win. Raises ConfigError."""
    from kitchen_watch.backend.settings import BackendSettings
    from kitchen_watch.config import read_yaml, validate

    values, lines = read_yaml(config) if config is not None else ({}, {})
    values.update({name: value for name, value in overrides.items() if value is not None})
    return validate(values, BackendSettings, where=str(config or "the command line"), lines=lines)
