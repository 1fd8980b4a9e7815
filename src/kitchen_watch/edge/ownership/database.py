"""A cluster's PostgreSQL: connections that fail soon, and the tables that edges keep there, made by
the first edge that comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from kitchen_watch.edge.ownership.schema import MIGRATIONS, SCHEMA
from kitchen_watch.errors import ConfigError
from kitchen_watch.redact import redact

if TYPE_CHECKING:
    import psycopg

Connection = Any
"""A psycopg connection; the driver is an extra, so that its types are not known everywhere."""

CONNECT_TIMEOUT_S = 5
OPTIONS = {
    "connect_timeout": CONNECT_TIMEOUT_S,
    "application_name": "kitchen-watch edge",
    # A machine that vanished is noticed by both ends.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
SETTINGS = (
    # A process that was stopped in the middle of a transaction holds its lease's row: not for long.
    ("idle_in_transaction_session_timeout", "5s"),
    ("lock_timeout", "10s"),
    ("statement_timeout", "30s"),
)


def driver() -> Any:
    """The module ``psycopg``.

    Raises:
        ConfigError: the extra is not installed.
    """
    try:
        import psycopg  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ConfigError(
            "outbox.url: the PostgreSQL driver is not installed. Say: pip install 'kitchen-watch[cluster]'"
        ) from error
    return psycopg


def connect(url: SecretStr) -> psycopg.Connection[Any]:
    """A connection on which every statement is its own transaction unless one is begun.

    Raises:
        psycopg.Error: there is no database, or it does not let us in.
    """
    connection = driver().connect(plain(url), autocommit=True, prepare_threshold=None, **OPTIONS)
    try:
        for name, value in SETTINGS:
            connection.execute("SELECT set_config(%s, %s, false)", (name, value))
    except BaseException:
        connection.close()
        raise
    return connection  # type: ignore[no-any-return]


def plain(url: SecretStr) -> str:
    """The address as the driver takes it, also where it is written as SQLAlchemy's."""
    return url.get_secret_value().replace("postgresql+psycopg://", "postgresql://", 1)


def shown(url: SecretStr) -> str:
    """The address as people and logs may read it."""
    return redact(plain(url)).split("?")[0]


def prepare(connection: psycopg.Connection[Any], url: SecretStr) -> None:
    """Make the tables, or bring them to the present version; several edges may do so at once.

    Raises:
        ConfigError: a newer kitchen-watch made them.
        psycopg.Error: they cannot be made.
    """
    if _version(connection) == len(MIGRATIONS):
        return
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (SCHEMA,))
        version = _version(connection)
        if version > len(MIGRATIONS):
            raise ConfigError(
                f"{shown(url)}: was used by a newer kitchen-watch (version {version} of its tables, this one "
                f"knows {len(MIGRATIONS)}). Install that version; nothing was changed."
            )
        for script in MIGRATIONS[version:]:
            connection.execute(script)
        connection.execute(f"UPDATE {SCHEMA}.version SET number = %s", (len(MIGRATIONS),))  # noqa: S608


def _version(connection: psycopg.Connection[Any]) -> int:
    there = connection.execute("SELECT to_regclass(%s)", (f"{SCHEMA}.version",)).fetchone()
    if there is None or there[0] is None:
        return 0
    found = connection.execute(f"SELECT number FROM {SCHEMA}.version").fetchone()  # noqa: S608
    return int(found[0]) if found is not None else 0
