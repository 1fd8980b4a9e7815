"""Files that people sent to be imported, read but not applied yet."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from kitchen_watch.backend.tables import JsonValue, Table


class ImportRow(Table):
    """The rows of one file; kept for an hour, or until they are applied."""

    __tablename__ = "imports"

    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    file_name: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    rows: Mapped[list[dict[str, Any]]] = mapped_column(JsonValue)
    at: Mapped[datetime] = mapped_column(index=True)
