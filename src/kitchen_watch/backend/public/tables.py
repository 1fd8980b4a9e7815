"""Public pages and their codes, and the official inspection grades shown there."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from kitchen_watch.backend.tables import Table


class PublicPageRow(Table):
    """The public page of a premises; without a row it has none.

    ``code`` is random and stands in the QR code at the door: stable until somebody makes a new one,
    after which the old one leads nowhere.
    """

    __tablename__ = "public_pages"

    premises_id: Mapped[int] = mapped_column(ForeignKey("premises.id"), primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))


class InspectionGradeRow(Table):
    """An inspection grade (量化等级 A to C) as the authority awarded it. Rows are added, never changed.

    It has nothing to do with the risk grade or the level of the responsible official, which use
    letters too.
    """

    __tablename__ = "inspection_grades"

    id: Mapped[int] = mapped_column(primary_key=True)
    premises_id: Mapped[int] = mapped_column(ForeignKey("premises.id"))
    grade: Mapped[str] = mapped_column(String(1))
    awarded_on: Mapped[date] = mapped_column(Date)
    authority: Mapped[str] = mapped_column(String(100), default="")
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))

    __table_args__ = (Index(None, "premises_id", "awarded_on"),)
