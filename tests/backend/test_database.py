"""Connections of the database: none is left behind when the service ends."""

from __future__ import annotations

import gc
import time

import pytest
from sqlalchemy import create_engine, text

from kitchen_watch.backend.database import Database

pytestmark = pytest.mark.postgres

OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def test_work_that_outlasts_the_service_leaves_no_connection_behind(postgres_url: str) -> None:
    database = Database(postgres_url)
    with database.write() as session:
        session.execute(text("SELECT 1"))
        database.close()  # a worker thread is in the middle of something
    with database.read() as session:  # and another one only begins
        session.execute(text("SELECT 1"))
    gc.collect()  # a connection that is open here would be complained of
    watching = create_engine(postgres_url)
    with watching.connect() as connection:
        deadline = time.monotonic() + 10
        while connection.scalar(text(OTHERS)) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert connection.scalar(text(OTHERS)) == 0
    watching.dispose()
