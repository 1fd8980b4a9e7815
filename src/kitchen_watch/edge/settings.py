"""The edge's configuration file: every key, its default and what it means."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from kitchen_watch.config import Settings
from kitchen_watch.control import LiveQuality
from kitchen_watch.edge.detect.precision import CHOICES
from kitchen_watch.edge.detect.settings import DetectorSettings
from kitchen_watch.edge.main_view import MainViewSettings
from kitchen_watch.edge.motion_tiles import MotionTileSettings
from kitchen_watch.edge.rules.hours import OpeningHours
from kitchen_watch.edge.rules.zone import Zone
from kitchen_watch.edge.second_look import SecondLookSettings
from kitchen_watch.edge.shadow.settings import ShadowSettings
from kitchen_watch.edge.still_scenes import StillSceneSettings
from kitchen_watch.edge.streams.health import HealthSettings
from kitchen_watch.edge.streams.source import SourceSettings
from kitchen_watch.edge.turns.settings import TurnSettings
from kitchen_watch.events import Identifier
from kitchen_watch.logs import LogFormat
from kitchen_watch.signing import MIN_SECRET_BYTES, SECRET_PREFIX


class BackendSettings(Settings):
    """Where events go."""

    url: str = Field(description="address of the backend, http(s)://host[:port][/prefix]")
    secret: SecretStr = Field(description="shared secret of this edge, as the backend issued it")

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("is no address; write it as http://host:port or https://host")
        if parts.username or parts.password:
            raise ValueError("carries a password; the edge signs its requests, remove user and password")
        return url.rstrip("/")

    @field_validator("secret")
    @classmethod
    def _is_long_enough(cls, secret: SecretStr) -> SecretStr:
        value = secret.get_secret_value()
        if not value.startswith(SECRET_PREFIX) or len(value) < len(SECRET_PREFIX) + MIN_SECRET_BYTES:
            raise ValueError(
                f"is not a secret of this scheme; it starts with {SECRET_PREFIX} and is issued by the backend"
            )
        return secret


class EvidenceSettings(Settings):
    """What is kept around a violation."""

    before_s: Annotated[float, Field(ge=0, le=30, description="seconds of clip before the moment")] = 5.0
    after_s: Annotated[float, Field(ge=1, le=30, description="seconds of clip after the moment")] = 10.0
    ring_bytes: Annotated[int, Field(ge=1_000_000, description="most memory per camera for clips")] = (
        64_000_000
    )
    keep_days: Annotated[int, Field(ge=1, description="delivered evidence stays here so long")] = 30
    store: str | None = Field(
        default=None,
        description="object store that keeps evidence too, s3://bucket/prefix or file:///shared/folder;"
        " needs the extra [cluster]; default: this disk alone",
    )
    store_options: dict[str, SecretStr] = Field(
        default_factory=dict,
        description="such as endpoint, region, access_key_id, secret_access_key; default: the environment's",
    )
    disk_warn_free_bytes: Annotated[int, Field(ge=0, description="below it the edge warns")] = 5_000_000_000
    disk_floor_free_bytes: Annotated[
        int, Field(ge=0, description="below it the oldest delivered evidence goes; undelivered never")
    ] = 1_000_000_000


class OutboxSettings(Settings):
    """Where events wait until the backend has them."""

    url: SecretStr | None = Field(
        default=None,
        description="postgresql://user:password@host/database of a cluster; default: a file in data_dir."
        " Needs the extra [cluster]; the edge is then run by whoever holds its lease there",
    )
    lease_s: Annotated[
        float, Field(ge=2, le=300, description="with url: so long after its owner's end another may begin")
    ] = 10.0

    @field_validator("url")
    @classmethod
    def _is_postgresql(cls, url: SecretStr | None) -> SecretStr | None:
        scheme = "" if url is None else urlsplit(url.get_secret_value()).scheme
        if url is not None and scheme not in {"postgresql", "postgresql+psycopg"}:
            raise ValueError("is no PostgreSQL address; write it as postgresql://user:password@host/database")
        # The driver quotes what it stumbles over, and that is the password.
        if url is not None and any(letter.isspace() for letter in url.get_secret_value()):
            raise ValueError("has a blank in it; write %20 for one in the user's name or password")
        if url is not None and "@" in urlsplit(url.get_secret_value()).path:
            raise ValueError("has a / before its @; write %2F for one in the user's name or password")
        return url


class LiveSettings(Settings):
    """Live view at this edge."""

    public_delay_s: Annotated[
        float,
        Field(ge=1, le=60, description="the public sees pictures so late; faces are found meanwhile"),
    ] = 5.0
    viewer_networks: tuple[IPv4Network | IPv6Network, ...] = Field(
        default=(),
        description="where viewers' addresses may be tried over WebRTC, such as 10.0.0.0/8 (add the TURN"
        " server's); default: anywhere but loopback, link-local and cloud metadata",
    )
    time_shift_minutes: Annotated[
        float, Field(ge=0, le=120, description="of every camera so much can be looked at again; 0: nothing")
    ] = 5.0
    time_shift_bytes: Annotated[
        int, Field(ge=1_000_000, description="most disk per camera for time-shift")
    ] = 500_000_000


class ContinuousSettings(Settings):
    """Continuous recording of one camera."""

    enabled: bool = Field(default=False, description="true: everything is recorded, not only violations")
    keep_days: Annotated[float, Field(gt=0, le=365, description="recordings stay so long")] = 7.0
    keep_bytes: Annotated[
        int, Field(ge=10_000_000, description="most disk for this camera; the oldest goes first")
    ] = 50_000_000_000
    quality: LiveQuality = Field(default="sub", description="sub: the smaller stream; main: the full one")


class StatusSettings(Settings):
    """The edge's own status server."""

    host: str = Field(default="127.0.0.1", description="address of /healthz, /readyz, /status, /metrics")
    port: Annotated[int, Field(ge=0, le=65535, description="0 takes any free port")] = 9300


class AnalysisSettings(Settings):
    """How often and how large frames are looked at."""

    frames_per_second: Annotated[float, Field(gt=0, le=30, description="analysed per camera")] = 5.0
    fit: tuple[int, int] = Field(default=(640, 384), description="analysis frames fit into width, height")

    second_look: SecondLookSettings = SecondLookSettings()
    motion_tiles: MotionTileSettings = MotionTileSettings()
    still_scenes: StillSceneSettings = StillSceneSettings()
    main_view: MainViewSettings = MainViewSettings()

    @field_validator("fit")
    @classmethod
    def _is_a_size(cls, fit: tuple[int, int]) -> tuple[int, int]:
        if min(fit) < 64 or max(fit) > 4096:
            raise ValueError("must be a width and a height between 64 and 4096 pixels")
        return fit


class CameraSettings(Settings):
    """One camera: where its picture comes from and what is looked for in it."""

    camera_id: Identifier = Field(description="its id, as the backend knows it")
    name: str = Field(default="", description="what people call it, on snapshots")
    main: SourceSettings = Field(description="the main stream: evidence, and analysis without a sub stream")
    sub: SourceSettings | None = Field(default=None, description="a smaller stream of the same camera")
    frames_per_second: Annotated[float, Field(gt=0, le=30)] | None = Field(
        default=None, description="default: analysis.frames_per_second"
    )
    opening_hours: OpeningHours | None = Field(default=None, description="default: those of the edge")
    zones: tuple[Zone, ...] = Field(default=(), description="named areas that rules may be bound to")
    privacy: tuple[Zone, ...] = Field(default=(), description="areas burnt out of everything stored")
    rules: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="rule parameters of this camera, such as NO_HAT: {held_s: 5}"
    )
    continuous: ContinuousSettings = ContinuousSettings()
    always_watched: bool = Field(
        default=False, description="true: where cameras take turns, this one is watched without a break"
    )
    enabled: bool = Field(default=True, description="false: the camera is left alone")

    @model_validator(mode="after")
    def _zone_ids_differ(self) -> Self:
        ids = [zone.zone_id for zone in (*self.zones, *self.privacy)]
        doubled = {zone_id for zone_id in ids if ids.count(zone_id) > 1}
        if doubled:
            raise ValueError(f"two zones are called {', '.join(sorted(doubled))}; give each its own zone_id")
        return self


class EdgeSettings(Settings):
    """Top level of ``edge.yaml``."""

    edge_id: Identifier = Field(description="this edge's id, as the backend issued it")
    data_dir: Path = Field(default=Path("var/edge"), description="outbox and evidence, of this edge alone")
    backend: BackendSettings = Field(description="where events go")
    model: Path | None = Field(
        default=None, description="ONNX file with its card beside it; default: shipped"
    )
    rules_file: Path | None = Field(default=None, description="rule catalogue; default: the shipped one")
    rules: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="rule parameters for all cameras, such as NO_HAT: {held_s: 5}"
    )
    opening_hours: OpeningHours = Field(
        default=OpeningHours.always_open(), description="open, closed, or spans per weekday"
    )
    analysis: AnalysisSettings = AnalysisSettings()
    turns: TurnSettings = TurnSettings()
    detector: DetectorSettings = DetectorSettings()
    shadow: ShadowSettings = ShadowSettings()
    health: HealthSettings = HealthSettings()
    evidence: EvidenceSettings = EvidenceSettings()
    outbox: OutboxSettings = OutboxSettings()
    live: LiveSettings = LiveSettings()
    status: StatusSettings = StatusSettings()
    log_format: LogFormat = "console"
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR")
    cameras: tuple[CameraSettings, ...] = Field(default=(), description="every camera of this edge")

    @property
    def precision_file(self) -> Path:
        """Where the precision that was measured on this machine is kept."""
        return self.detector.choices or self.data_dir / CHOICES

    @field_validator("log_level")
    @classmethod
    def _is_a_level(cls, level: str) -> str:
        if level not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
        return level

    @model_validator(mode="after")
    def _turns_are_left(self) -> Self:
        cameras = [camera for camera in self.cameras if camera.enabled]
        always = sum(camera.always_watched for camera in cameras)
        at_once = self.turns.at_once
        taking = self.turns.mode == "always" and at_once is not None and len(cameras) > at_once
        if taking and at_once is not None and always >= at_once:
            raise ValueError(
                f"turns: {always} cameras are always_watched and at_once is {at_once}, which leaves no turn"
                f" for the other {len(cameras) - always}; raise at_once or take always_watched from some"
            )
        return self

    @model_validator(mode="after")
    def _camera_ids_differ(self) -> Self:
        ids = [camera.camera_id for camera in self.cameras]
        doubled = {camera_id for camera_id in ids if ids.count(camera_id) > 1}
        if doubled:
            raise ValueError(
                f"cameras: two cameras are called {', '.join(sorted(doubled))}; give each its own camera_id"
            )
        return self
