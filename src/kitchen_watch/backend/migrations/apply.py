"""Bring a database to the present schema; safe when several processes start at once."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from kitchen_watch.backend.database import Database, lock_key
from kitchen_watch.errors import ConfigError
from kitchen_watch.redact import redact

DIRECTORY = Path(__file__).resolve().parent


def upgrade(database: Database) -> None:
    """Apply every migration that is missing, all or none.

    Raises:
        ConfigError: the database does not answer or does not let us make tables.
    """
    try:
        with database.engine.begin() as connection:
            if not database.is_sqlite:
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key("migrations")}
                )
            command.upgrade(alembic_config(connection), "head")
    except DBAPIError as error:
        where = database.engine.url.render_as_string(hide_password=True)
        raise ConfigError(
            f"database_url: {where} cannot be used: {redact(str(error.orig)).strip()}. "
            "Check that the server runs and the address, user and password are right."
        ) from None


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration for one open connection; no file is needed."""
    config = Config()
    config.set_main_option("script_location", str(DIRECTORY).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
