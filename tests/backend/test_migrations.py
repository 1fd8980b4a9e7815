"""Migrations and tables say the same, on both databases, also when two processes start at once."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from kitchen_watch.backend.database import Database
from kitchen_watch.backend.migrations.apply import upgrade
from kitchen_watch.backend.schema import metadata
from kitchen_watch.errors import ConfigError
from tests.backend.conftest import DATABASES
from tests.postgres import new_database
from tests.support import require


@pytest.fixture(params=DATABASES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    return new_database(request.getfixturevalue("seeded_postgres")[0])


def differences(database: Database) -> list[Any]:
    def ignore_variants(*_: Any) -> bool:
        return False  # a plain string in a migration and a checked enum in a table are one type

    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": ignore_variants})
        return list(compare_metadata(context, metadata()))


def test_migrations_lead_to_what_the_tables_say(empty_url: str) -> None:
    database = Database(empty_url)
    upgrade(database)
    upgrade(database)
    assert differences(database) == []
    tables = set(inspect(database.engine).get_table_names())
    assert tables == {*metadata().tables, "alembic_version"}
    database.close()


def test_processes_that_start_at_once_migrate_once(empty_url: str) -> None:
    databases = [Database(empty_url) for _ in range(3)]
    errors: list[BaseException] = []

    def start(database: Database) -> None:
        try:
            upgrade(database)
        except ConfigError as error:
            errors.append(error)

    threads = [threading.Thread(target=start, args=[database]) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert differences(databases[0]) == []
    for database in databases:
        database.close()


def test_a_database_that_does_not_answer_is_told_in_a_sentence_without_its_password() -> None:
    require(module="psycopg", why="the driver of PostgreSQL; the extra [postgres] brings it")
    database = Database("postgresql://kw:hunter2@127.0.0.1:1/kw")
    with pytest.raises(ConfigError, match=r"127\.0\.0\.1:1/kw cannot be used") as refusal:
        upgrade(database)
    assert "hunter2" not in str(refusal.value)
    database.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="Name a file"):
        Database(url)
