"""People, their sessions, failed logins, and request ids of devices that must not come twice."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from kitchen_watch.backend.auth.roles import Role
from kitchen_watch.backend.tables import Table, stored_enum


class PersonRow(Table):
    """One login. ``node_id``, ``premises_id`` or ``group_id`` says what they may see, by role."""

    __tablename__ = "people"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    display_name: Mapped[str] = mapped_column(String(100))
    role: Mapped[Role] = mapped_column(stored_enum(Role))
    password_hash: Mapped[str] = mapped_column(String(255))
    must_change_password: Mapped[bool] = mapped_column(default=True)
    disabled: Mapped[bool] = mapped_column(default=False)
    locale: Mapped[str | None] = mapped_column(String(8))
    node_id: Mapped[int | None] = mapped_column(ForeignKey("nodes.id"), index=True)
    premises_id: Mapped[int | None] = mapped_column(ForeignKey("premises.id"), index=True)
    group_id: Mapped[int | None] = mapped_column(ForeignKey("supervision_groups.id"), index=True)
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[datetime]


class WebSessionRow(Table):
    """One login that has not ended. Only the hash of its token is kept."""

    __tablename__ = "web_sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    csrf_token: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    address: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(200))


class LoginFailureRow(Table):
    """Wrong passwords in a row for one login name, whether that login exists or not."""

    __tablename__ = "login_failures"

    name_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime]
    locked_until: Mapped[datetime | None]


class AddressCountRow(Table):
    """What one network address asked for in one minute, counted by all processes together."""

    __tablename__ = "address_counts"

    counted: Mapped[str] = mapped_column(String(64), primary_key=True)
    minute: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    count: Mapped[int] = mapped_column(default=0)


class DeviceRequestRow(Table):
    """A signed request that must not be honoured twice; kept for as long as its signature lives."""

    __tablename__ = "device_requests"

    request_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    edge_id: Mapped[str] = mapped_column(String(64))
    seen_at: Mapped[datetime] = mapped_column(index=True)
