"""The database: one engine, short read and write transactions, and waking those who wait for a commit.

The engine is synchronous and used from worker threads: the same code runs on SQLite and on
PostgreSQL. A write transaction on SQLite begins IMMEDIATE behind a lock of this process, so it
never fails halfway with "database is locked"; on PostgreSQL writers run side by side and take
named locks where an order matters.
"""

from __future__ import annotations

import secrets
import threading
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from kitchen_watch.backend.local_time import DEFAULT_ZONE, with_zone
from kitchen_watch.backend.notices import Notices
from kitchen_watch.errors import ConfigError
from kitchen_watch.redact import redact

BUSY_TIMEOUT_MS = 30_000
POOL_SIZE = 20
POOL_OVERFLOW = 20
POOL_TIMEOUT_S = 20
CONNECT_TIMEOUT_S = 10
CHANNEL = "kitchen_watch"
"""On which processes of one PostgreSQL database tell each other what they announce."""
_ANNOUNCED = "announced_topics"
_MODE = "kitchen_watch_mode"


class Database:
    """Opens sessions; every piece of work is one transaction in one thread."""

    def __init__(self, url: str, *, notices: Notices | None = None, time_zone: str = DEFAULT_ZONE) -> None:
        self.notices = notices or Notices()
        self.origin = secrets.token_hex(8)
        """Names this process to the others, so that it does not hear itself."""
        self.engine = with_zone(_engine(url), time_zone)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._closed = False
        event.listen(self.engine, "checkin", self._given_back)
        reading: dict[str, Any] = {_MODE: "read"}
        if not self.is_sqlite:
            reading["postgresql_readonly"] = True
        self._reading = self.engine.execution_options(**reading)
        # A read transaction on SQLite sees one state anyway.
        one_state = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        self._snapshot = self.engine.execution_options(**reading, **one_state)
        self._writing = self.engine.execution_options(**{_MODE: "write"})
        self._one_writer: AbstractContextManager[Any] = threading.Lock() if self.is_sqlite else nullcontext()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that changes nothing."""
        with Session(self._reading, autoflush=False, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """The same for many queries whose figures must agree: all see the state of the first."""
        with Session(self._snapshot, autoflush=False, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that is committed when the block ends, or rolled back when it raises."""
        with self._one_writer, Session(self._writing, expire_on_commit=False) as session:
            yield session
            topics: set[str] = session.info.pop(_ANNOUNCED, set())
            self._tell_others(session, topics)
            session.commit()
        for topic in topics:
            self.notices.publish(topic)

    def answers(self) -> bool:
        """Whether the database can be asked now (for readiness)."""
        try:
            with self.read() as session:
                session.execute(text("SELECT 1"))
        except OperationalError:
            return False
        return True

    def connect_arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """What the driver is given to connect."""
        arguments, options = self.engine.dialect.create_connect_args(self.engine.url)
        return tuple(arguments), {"connect_timeout": CONNECT_TIMEOUT_S, **options}

    def _tell_others(self, session: Session, topics: set[str]) -> None:
        if self.is_sqlite:  # several processes over one SQLite file find out by looking
            return
        for topic in topics:  # heard by others when, and only if, this transaction is committed
            session.execute(
                text("SELECT pg_notify(:channel, :notice)"),
                {"channel": CHANNEL, "notice": f"{self.origin} {topic}"},
            )

    def close(self) -> None:
        """Close every connection: those that lie ready now, those in use when they are given back."""
        self._closed = True
        self.engine.dispose()

    def _given_back(self, connection: Any, record: ConnectionPoolEntry) -> None:
        # A worker thread may still be at work when the service ends. Its connection would go into a pool
        # that nobody looks after any more.
        if self._closed and connection is not None:
            record.invalidate()


def announce(session: Session, topic: str) -> None:
    """Wake those who wait for ``topic`` once this transaction is committed."""
    session.info.setdefault(_ANNOUNCED, set()).add(topic)


def exclusive(session: Session, name: str) -> None:
    """Hold the named lock until this transaction ends, over all processes of this database.

    A write transaction on SQLite is alone already.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key(name)})


def lock_key(name: str) -> int:
    """The number under which PostgreSQL knows a named lock."""
    return zlib.crc32(f"kitchen_watch/{name}".encode())


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() == "sqlite":
            if parsed.database in {None, "", ":memory:"}:
                raise ConfigError(
                    "database_url: a database in memory cannot be shared by threads. Name a file."
                )
            Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
            engine = create_engine(
                parsed,
                pool_size=POOL_SIZE,
                max_overflow=POOL_OVERFLOW,
                pool_timeout=POOL_TIMEOUT_S,
                connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
            )
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        return create_engine(
            parsed,
            pool_size=POOL_SIZE,
            max_overflow=POOL_OVERFLOW,
            pool_timeout=POOL_TIMEOUT_S,
            pool_pre_ping=True,
            connect_args={"connect_timeout": CONNECT_TIMEOUT_S},
        )
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"database_url: the driver {error.name} is not installed. "
            "Say: pip install 'kitchen-watch[postgres]'"
        ) from error
    except (ArgumentError, NoSuchModuleError) as error:
        raise ConfigError(f"database_url: {redact(str(error))}.") from None


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where _begin_sqlite says, not implicitly
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    mode = connection.get_execution_options().get(_MODE, "write")
    connection.exec_driver_sql("BEGIN" if mode == "read" else "BEGIN IMMEDIATE")
