"""Many rows at once: COPY on PostgreSQL, an ordinary INSERT elsewhere.

An INSERT of a hundred rows is a hundred parameter lists to render, send and plan; COPY sends them as one
stream. Constraints, foreign keys and the transaction are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from pydantic_core import to_json
from sqlalchemy import JSON, ColumnElement, Dialect, Table, any_, func, insert, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.schema import Column, ScalarElementColumnDefault

from kitchen_watch.backend import tables

FEW = 8
"""Below this many rows an INSERT is as quick."""

Values = Mapping[str, Any]


def write_rows(session: Session, row: type[tables.Table], rows: Sequence[Values]) -> None:
    """Insert rows that all name the same columns; scalar defaults of the others are filled in.

    Raises:
        IntegrityError, DataError: as an INSERT would, and the transaction cannot go on.
    """
    if not rows:
        return
    table = row.metadata.tables[row.__tablename__]
    made = any(_default_is_made(column) for column in table.c if column.name not in rows[0])
    if len(rows) < FEW or made or session.get_bind().dialect.name != "postgresql":
        session.execute(insert(row), list(rows))
        return
    _copy(session, table, rows)


def as_values(row: tables.Table) -> dict[str, Any]:
    """What has been set of a row that belongs to no session, for :func:`write_rows`."""
    return {name: value for name, value in vars(row).items() if not name.startswith("_")}


def new_ids(session: Session, row: type[tables.Table], count: int) -> list[int]:
    """Ids for that many rows that this transaction is going to write, rising."""
    if not count:
        return []
    key = row.metadata.tables[row.__tablename__].c.id
    if session.get_bind().dialect.name == "postgresql":
        sequence = func.pg_get_serial_sequence(row.__tablename__, key.name)
        # One number per row of the series; other writers may take numbers in between.
        numbers = session.scalars(select(func.nextval(sequence)).select_from(func.generate_series(1, count)))
        return sorted(numbers)
    first = (session.scalar(select(func.max(key))) or 0) + 1  # a write transaction on SQLite is alone
    return list(range(first, first + count))


def among(
    session: Session, column: InstrumentedAttribute[Any], values: Collection[Any]
) -> ColumnElement[bool]:
    """``column IN values``; on PostgreSQL as one array, so that any length is one prepared statement."""
    if session.get_bind().dialect.name != "postgresql":
        return column.in_(values)
    return column == any_(literal(list(values), ARRAY(column.type)))


def _copy(session: Session, table: Table, rows: Sequence[Values]) -> None:
    connection = session.connection()
    dialect = connection.dialect
    columns = [column for column in table.c if column.name in rows[0] or _has_scalar_default(column)]
    writers = [(column.key, _scalar_default(column), _processor(column, dialect)) for column in columns]
    quoted = connection.dialect.identifier_preparer
    names = ", ".join(quoted.format_column(column) for column in columns)
    statement = f"COPY {quoted.format_table(table)} ({names}) FROM STDIN"
    driver = connection.connection.driver_connection
    assert driver is not None
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row([process(row.get(key, default)) for key, default, process in writers])
    except dialect.loaded_dbapi.Error as error:
        raise DBAPIError.instance(
            statement, None, error, dialect.loaded_dbapi.Error, dialect=dialect
        ) from error


def _has_scalar_default(column: Column[Any]) -> bool:
    return isinstance(column.default, ScalarElementColumnDefault)


def _default_is_made(column: Column[Any]) -> bool:
    return column.default is not None and not isinstance(column.default, ScalarElementColumnDefault)


def _scalar_default(column: Column[Any]) -> Any:
    return column.default.arg if isinstance(column.default, ScalarElementColumnDefault) else None


def _processor(column: Column[Any], dialect: Dialect) -> Callable[[Any], Any]:
    if isinstance(column.type, JSON):
        return _json
    implementation = column.type.dialect_impl(dialect)
    return implementation.bind_processor(dialect) or _as_it_is


def _json(value: Any) -> str:
    return to_json(value, inf_nan_mode="constants").decode()  # None is JSON's null, as in an INSERT


def _as_it_is(value: Any) -> Any:
    return value
