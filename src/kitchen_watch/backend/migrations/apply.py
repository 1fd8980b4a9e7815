"""Bring a database to the present schema; safe when several processes start at once."""

from __future__ import annotations

import time
from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from kitchen_watch.backend.database import Database, lock_key
from kitchen_watch.errors import ConfigError
from kitchen_watch.redact import redact

LOCK_WAIT_S = 3.0
"""A change of a table waits so long for those who use it. Everybody who comes later waits behind it, so it
gives up, lets them pass, and comes again."""
TRIES = 20
PAUSE_S = 1.0
_LOCK_NOT_AVAILABLE = "55P03"

log = structlog.get_logger(__name__)

DIRECTORY = Path(__file__).resolve().parent


def upgrade(database: Database) -> None:
    """Apply every migration that is missing, all or none.

    Other processes, of this version or the one before, may be at work on the database meanwhile.

    Raises:
        ConfigError: the database does not answer or does not let us make tables.
    """
    for left in reversed(range(TRIES)):
        try:
            _try(database)
        except DBAPIError as error:
            if not left or getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise _refusal(database, error) from None
            log.info("a table that is to be changed is in use; trying again", tries_left=left)
            time.sleep(PAUSE_S)
        else:
            return


def _try(database: Database) -> None:
    with database.engine.begin() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key("migrations")})
            connection.execute(text(f"SET LOCAL lock_timeout = '{round(1000 * LOCK_WAIT_S)}ms'"))
        command.upgrade(alembic_config(connection), "head")


def _refusal(database: Database, error: DBAPIError) -> ConfigError:
    where = database.engine.url.render_as_string(hide_password=True)
    return ConfigError(
        f"database_url: {where} cannot be used: {redact(str(error.orig)).strip()}. "
        "Check that the server runs and the address, user and password are right."
    )


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration for one open connection; no file is needed."""
    config = Config()
    config.set_main_option("script_location", str(DIRECTORY).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
