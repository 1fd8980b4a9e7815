"""Fixtures of the backend's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from kitchen_watch.backend.app import create_app
from kitchen_watch.clock import ManualClock
from tests.backend.support import NOON, Backend, make_settings, running, seed
from tests.postgres import new_database, postgres_server

DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session")
def seeded_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A PostgreSQL server's URL, and the name of a database on it that holds the sample district."""
    with postgres_server() as server:
        url = new_database(server)
        app = create_app(
            make_settings(tmp_path_factory.mktemp("template"), database_url=url), clock=ManualClock(NOON)
        )
        seed(app.state.parts)
        app.state.parts.database.close()
        yield server, str(make_url(url).database)


@pytest.fixture
def postgres_url(seeded_postgres: tuple[str, str]) -> str:
    """A fresh PostgreSQL database with the sample district."""
    server, template = seeded_postgres
    return new_database(server, template=template)


@pytest.fixture(params=DATABASES)
def database_settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Settings that choose the database: tests that use it run on SQLite and on PostgreSQL."""
    return {} if request.param == "sqlite" else {"database_url": request.getfixturevalue("postgres_url")}


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Backend]:
    """A running backend with the sample district on SQLite, its clock standing at noon."""
    with running(tmp_path) as backend:
        yield backend


@pytest.fixture
def any_backend(tmp_path: Path, database_settings: dict[str, Any]) -> Iterator[Backend]:
    """The same on either database."""
    with running(tmp_path, **database_settings) as backend:
        yield backend
