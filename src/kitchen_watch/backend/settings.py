"""What the operator may set for the backend, and which combinations refuse to start."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator

from kitchen_watch.backend.archive.settings import ArchiveSettings
from kitchen_watch.backend.complaints.settings import ComplaintSettings
from kitchen_watch.backend.deadlines.policy import DeadlinePolicy
from kitchen_watch.backend.letters.settings import LetterSettings
from kitchen_watch.backend.live.settings import LiveSettings
from kitchen_watch.backend.local_time import DEFAULT_ZONE, checked_zone
from kitchen_watch.backend.notifications.settings import NotificationSettings
from kitchen_watch.backend.patrols.settings import PatrolSettings
from kitchen_watch.backend.presence.settings import PresenceSettings
from kitchen_watch.backend.public.settings import PublicSettings
from kitchen_watch.backend.ratings.settings import RatingSettings
from kitchen_watch.backend.reports.settings import ReportSettings
from kitchen_watch.backend.retention.settings import RetentionSettings
from kitchen_watch.backend.self_checks.settings import SelfCheckSettings
from kitchen_watch.backend.tasks.settings import TaskSettings
from kitchen_watch.backend.webhooks.settings import OutgoingSettings
from kitchen_watch.config import Settings
from kitchen_watch.logs import LogFormat

MIN_SECRET_LENGTH = 32
MIN_SECRET_SYMBOLS = 10

ZONED = ("retention", "complaints", "tasks", "reports")
"""Rooms whose settings have a ``time_zone``."""

_Seconds = Annotated[float, Field(gt=0)]


class BackendSettings(Settings):
    """Settings of one backend process; every value has a default that is safe on one machine."""

    data_dir: Path = Field(default=Path("var/backend"), description="database, evidence, generated secret")
    database_url: SecretStr | None = Field(
        default=None,
        description="SQLAlchemy URL of SQLite or PostgreSQL; default: SQLite in data_dir",
    )
    public_url: str = Field(
        default="http://127.0.0.1:8000", description="address under which people reach the service"
    )
    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(default=8000, description="0 takes any free port")
    process_number: Annotated[int, Field(ge=0, le=15)] | None = Field(
        default=None,
        description="this process among several, by which media that edges push finds its way to it "
        "(deploy/nginx); default: the port modulo 16",
    )
    secret_key: SecretStr | None = Field(
        default=None,
        description="at least 32 characters; default: KITCHEN_WATCH_SECRET_KEY, or generated in data_dir",
    )
    time_zone: Annotated[str, AfterValidator(checked_zone)] = Field(
        default=DEFAULT_ZONE,
        description="in which days, months and terms are counted; rooms with one of their own may differ",
    )
    trusted_proxies: tuple[str, ...] = Field(
        default=(), description="addresses of reverse proxies whose X-Forwarded-* headers are believed"
    )
    allow_plain_http: bool = Field(
        default=False, description="permit listening beyond this machine without https"
    )
    session_idle: timedelta = Field(
        default=timedelta(hours=4), gt=timedelta(0), description="a session unused for so long ends"
    )
    session_lifetime: timedelta = Field(
        default=timedelta(hours=14), gt=timedelta(0), description="every session ends after so long"
    )
    logins_per_minute: Annotated[int, Field(ge=1)] = Field(
        default=30, description="login attempts of one network address per minute"
    )
    failures_before_lock: Annotated[int, Field(ge=2)] = Field(
        default=6, description="wrong passwords in a row before a login is locked"
    )
    lock_duration: timedelta = Field(
        default=timedelta(minutes=15), gt=timedelta(0), description="how long a login stays locked"
    )
    media_link_lifetime: timedelta = Field(
        default=timedelta(minutes=15), gt=timedelta(0), description="how long a link to evidence works"
    )
    max_evidence_bytes: Annotated[int, Field(gt=0)] = Field(
        default=512 * 1024 * 1024, description="largest evidence file that is taken"
    )
    feed_poll_s: _Seconds = Field(
        default=0.5, description="how often the feed looks for entries of other processes"
    )
    stream_ping_s: _Seconds = Field(default=10.0, description="pause between pings of an alert stream")
    command_timeout_s: _Seconds = Field(default=10.0, description="how long a camera command is waited for")
    metrics_token: SecretStr | None = Field(
        default=None, description="bearer token for /metrics; without it only this machine may read them"
    )
    deadline_look_s: _Seconds = Field(
        default=5.0, description="how often a process looks whether a reminder or supervision is due"
    )
    live: LiveSettings = LiveSettings()
    public: PublicSettings = PublicSettings()
    deadlines: DeadlinePolicy = DeadlinePolicy()
    letters: LetterSettings = LetterSettings()
    reports: ReportSettings = ReportSettings()
    notifications: NotificationSettings = NotificationSettings()
    outgoing: OutgoingSettings = OutgoingSettings()
    ratings: RatingSettings = RatingSettings()
    self_checks: SelfCheckSettings = SelfCheckSettings()
    archive: ArchiveSettings = ArchiveSettings()
    retention: RetentionSettings = RetentionSettings()
    patrols: PatrolSettings = PatrolSettings()
    presence: PresenceSettings = PresenceSettings()
    complaints: ComplaintSettings = ComplaintSettings()
    tasks: TaskSettings = TaskSettings()
    log_format: LogFormat = "console"
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")

    @field_validator("public_url")
    @classmethod
    def _plain_origin(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
            raise ValueError("must look like https://supervision.example.cn")
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("must end after the host and port; a path below it is not supported")
        return f"{parts.scheme}://{parts.netloc}"

    @field_validator("secret_key")
    @classmethod
    def _strong(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            check_secret(value.get_secret_value())
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("sqlite:", "postgresql")):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            ipaddress.ip_network(address)
        return value

    @model_validator(mode="after")
    def _one_zone(self) -> BackendSettings:
        """Rooms that name no zone of their own count in the service's."""
        for name in ZONED:
            room: Settings = getattr(self, name)
            if "time_zone" not in room.model_fields_set:
                # Frozen for everybody else; a copy, because defaults are shared.
                moved = room.model_copy(update={"time_zone": self.time_zone})
                object.__setattr__(self, name, moved)
                self.__dict__[name] = moved
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The zone of ``time_zone``."""
        return ZoneInfo(self.time_zone)

    @model_validator(mode="after")
    def _no_passwords_in_the_clear(self) -> BackendSettings:
        if not (self.https or self.allow_plain_http or is_loopback(self.host)):
            raise ValueError(
                f"host {self.host} can be reached from other machines but public_url is not https: passwords "
                "would travel in the clear; set an https public_url (behind a TLS proxy), or allow_plain_http"
            )
        if self.session_idle > self.session_lifetime:
            raise ValueError("session_idle must not be longer than session_lifetime")
        return self

    @property
    def https(self) -> bool:
        """Whether people reach the service over TLS; cookies are then marked secure."""
        return self.public_url.startswith("https://")

    @property
    def own_number(self) -> int:
        """The number of this process that is in force."""
        return self.port % 16 if self.process_number is None else self.process_number

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in force."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.data_dir.absolute() / 'backend.sqlite3'}"

    @property
    def evidence_dir(self) -> Path:
        """Where evidence files lie."""
        return self.data_dir / "evidence"

    @property
    def letters_dir(self) -> Path:
        """Where the PDFs of letters lie."""
        return self.data_dir / "letters"

    @property
    def self_check_photos_dir(self) -> Path:
        """Where restaurants' photos of self-checks lie."""
        return self.data_dir / "self-check-photos"

    @property
    def attachments_dir(self) -> Path:
        """Where files of reports on tasks lie."""
        return self.data_dir / "attachments"

    @property
    def patrol_pictures_dir(self) -> Path:
        """Where pictures of patrols lie: apart from rectifications, whose retention does not know them."""
        return self.data_dir / "patrol-pictures"

    @property
    def photos_dir(self) -> Path:
        """Where restaurants' photos of rectifications lie."""
        return self.data_dir / "photos"


def check_secret(value: str) -> None:
    """Raise ``ValueError`` unless ``value`` is long and varied enough to be a key."""
    if len(value) < MIN_SECRET_LENGTH or len(set(value)) < MIN_SECRET_SYMBOLS:
        raise ValueError(
            f"must have at least {MIN_SECRET_LENGTH} characters, {MIN_SECRET_SYMBOLS} of them different; "
            "make one with: openssl rand -base64 48"
        )


def is_loopback(host: str) -> bool:
    """Whether ``host`` is reachable from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
