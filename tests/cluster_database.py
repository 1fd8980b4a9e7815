"""A cluster's PostgreSQL as fixtures; a conftest imports them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from kitchen_watch.edge.ownership.database import connect, plain, prepare
from kitchen_watch.edge.ownership.schema import SCHEMA
from tests.postgres import new_database, postgres_server

TABLES = ("leases", "outbox_meta", "outbox_uploads", "outbox_manifests", "outbox_events", "outbox_violations")


@pytest.fixture(scope="session")
def cluster_server() -> Iterator[SecretStr]:
    with postgres_server() as server:
        url = SecretStr(new_database(server))
        with connect(url) as connection:
            prepare(connection, url)
        yield url


@pytest.fixture
def cluster_database(cluster_server: SecretStr) -> SecretStr:
    """A database with the edges' tables, empty."""
    import psycopg

    with psycopg.connect(plain(cluster_server), autocommit=True) as connection:
        connection.execute(f"TRUNCATE {', '.join(f'{SCHEMA}.{table}' for table in TABLES)}")
    return cluster_server
