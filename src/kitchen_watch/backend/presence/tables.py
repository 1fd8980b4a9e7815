"""Minutes in which a camera was seen, by local day: a few numbers that add up."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from kitchen_watch.backend.tables import Table


class CameraDayRow(Table):
    """One camera on one local day. ``node_id`` is the grid its premises lay in on that day.

    Minutes: ``counted`` in which the backend looked, ``online`` in which the picture came; ``operating``
    and ``streamed`` are the same within opening hours. ``watched`` is less than ``streamed`` where the
    camera takes turns with others (轮巡): only the time counts in which its picture was analysed.
    """

    __tablename__ = "camera_days"

    camera_id: Mapped[str] = mapped_column(
        ForeignKey("cameras.camera_id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    premises_id: Mapped[int] = mapped_column(ForeignKey("premises.id", ondelete="CASCADE"))
    node_id: Mapped[int] = mapped_column(ForeignKey("nodes.id", ondelete="CASCADE"))
    counted: Mapped[int] = mapped_column(default=0)
    online: Mapped[int] = mapped_column(default=0)
    operating: Mapped[int] = mapped_column(default=0)
    streamed: Mapped[int] = mapped_column(default=0, server_default="0")
    watched: Mapped[int] = mapped_column(default=0)

    __table_args__ = (Index(None, "day", "node_id"),)


class PresenceMomentRow(Table):
    """Up to when the minutes are counted; one row."""

    __tablename__ = "presence_moments"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    counted_at: Mapped[datetime]


class CoverageDayRow(Table):
    """How far the cameras had got in a grid at the end of a local day, for the line over time."""

    __tablename__ = "coverage_days"

    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    node_id: Mapped[int] = mapped_column(ForeignKey("nodes.id", ondelete="CASCADE"), primary_key=True)
    premises: Mapped[int]
    covered: Mapped[int]
