"""Where a camera's pictures come from: the settings of one RTSP address, file or webcam.

Credentials never stay inside the URL: they are moved into secrets when the settings are read, so
that nothing that prints the URL or these settings can leak them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote, unquote, urlsplit

from pydantic import Field, SecretStr, model_validator

from kitchen_watch.config import Settings
from kitchen_watch.redact import MASK, redact

Timeout = Annotated[timedelta, Field(gt=timedelta(0), le=timedelta(minutes=2))]

_SECRET_IN_PATH = re.compile(r"(?P<key>(?:password|passwd|pwd)=)[^&_/?\s]*", re.IGNORECASE)


class SourceKind(StrEnum):
    """What stands behind a source's URL."""

    RTSP = "rtsp"
    FILE = "file"
    WEBCAM = "webcam"


class SourceSettings(Settings):
    """One source of pictures. ``repr`` shows neither secrets nor a URL that contains them."""

    url: str = Field(
        min_length=1,
        description="rtsp:// or rtsps:// address, path of a video file (or file:...), or webcam:0",
    )
    username: SecretStr | None = Field(default=None, description="the camera account's name")
    password: SecretStr | None = Field(
        default=None, description="its password; write ${NAME} to take it from the environment"
    )
    transport: Literal["tcp", "udp"] = Field(default="tcp", description="how RTP packets travel")
    open_timeout: Timeout = Field(
        default=timedelta(seconds=10), description="seconds to wait for a camera to answer"
    )
    read_timeout: Timeout = Field(
        default=timedelta(seconds=10), description="seconds of silence after which a stream is stalled"
    )
    loop: bool = Field(default=False, description="start a file again at its end")

    @model_validator(mode="before")
    @classmethod
    def _move_credentials(cls, values: Any) -> Any:
        if not isinstance(values, dict) or not isinstance(values.get("url"), str):
            return values
        values = dict(values)
        scheme, separator, rest = values["url"].strip().partition("://")
        authority, slash, path = rest.partition("/")
        if separator and scheme.lower() in {"rtsp", "rtsps"} and "@" in authority:
            userinfo, _, host = authority.rpartition("@")
            if values.get("username") is not None or values.get("password") is not None:
                raise ValueError(
                    "user name and password are given inside the url and beside it; keep one of the two"
                )
            user, _, password = userinfo.partition(":")
            values["username"] = SecretStr(unquote(user))
            values["password"] = SecretStr(unquote(password))
            values["url"] = f"{scheme}://{host}{slash}{path}"
        else:
            values["url"] = values["url"].strip()
        return values

    @model_validator(mode="after")
    def _check(self) -> SourceSettings:
        scheme, separator, _ = self.url.partition("://")
        if separator and scheme.lower() not in {"rtsp", "rtsps", "file"}:
            raise ValueError(
                f"{scheme}:// cannot be read; give an rtsp:// or rtsps:// address, a file or webcam:0"
            )
        if self.kind is SourceKind.RTSP:
            parts = urlsplit(self.url)
            try:
                valid = bool(parts.hostname) and parts.port != 0
            except ValueError:
                valid = False
            if not valid:
                raise ValueError(
                    "is not an address such as rtsp://192.0.2.1:554/stream; characters like / and # in a "
                    "user name or password belong into username and password"
                )
        if self.kind is SourceKind.WEBCAM and not self.url.partition(":")[2].isdecimal():
            raise ValueError("a webcam is written webcam:0, webcam:1 and so on")
        if self.loop and self.kind is not SourceKind.FILE:
            raise ValueError("only a file can loop; remove loop")
        return self

    @property
    def kind(self) -> SourceKind:
        """What stands behind the URL."""
        if self.url.lower().startswith(("rtsp://", "rtsps://")):
            return SourceKind.RTSP
        if self.url.lower().startswith("webcam:"):
            return SourceKind.WEBCAM
        return SourceKind.FILE

    @property
    def path(self) -> Path:
        """The file's path (meaningful for files only)."""
        text = self.url
        if text.lower().startswith("file://"):
            text = unquote(text[len("file://") :])
        elif text.lower().startswith("file:"):
            text = text[len("file:") :]
        return Path(text).expanduser()

    @property
    def webcam_index(self) -> int:
        """The webcam's number (meaningful for webcams only)."""
        return int(self.url.partition(":")[2])

    @property
    def place(self) -> str:
        """The URL as people and logs may see it."""
        return _SECRET_IN_PATH.sub(rf"\g<key>{MASK}", redact(self.url))

    @property
    def host(self) -> str:
        """``host:port`` of an RTSP source, for messages."""
        parts = urlsplit(self.url)
        port = parts.port or (322 if parts.scheme.lower() == "rtsps" else 554)
        return f"{parts.hostname}:{port}"

    def address(self) -> SecretStr:
        """The RTSP URL with its credentials, percent-encoded, for the media library only."""
        scheme, _, rest = self.url.partition("://")
        if self.username is None and self.password is None:
            return SecretStr(self.url)
        user = quote(self.username.get_secret_value() if self.username else "", safe="")
        password = quote(self.password.get_secret_value() if self.password else "", safe="")
        return SecretStr(f"{scheme}://{user}:{password}@{rest}")

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Pydantic's parts of ``repr``, with the URL as people may see it."""
        for name, value in super().__repr_args__():
            yield name, self.place if name == "url" else value
