"""The files that one start of the demo writes for its programs, readable by the owner only."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

from kitchen_watch.demo.district import EDGE_ID
from kitchen_watch.errors import ConfigError
from kitchen_watch.signing import new_secret

LOOPBACK = "127.0.0.1"
_OWNER_ONLY = 0o600
# Short, so that nobody has to wait for the demo; the shipped catalogue has the real durations.
DEMO_RULES: dict[str, dict[str, float]] = {
    "NO_HAT": {"held_s": 2, "absent_s": 6, "cooldown_s": 20},
    "NO_MASK": {"held_s": 2, "absent_s": 6, "cooldown_s": 20},
    "CAM_COVERED": {"held_s": 3, "absent_s": 3},
    "CAM_OFFLINE": {"held_s": 4, "closed_held_s": 4, "absent_s": 3},
}
ANALYSED_PER_SECOND = 5.0
"""Frames of each camera that the edge shall analyse."""
_CLOSED = ("demo-store",)
_COLD_DISHES = ("demo-cold-dishes",)


@dataclass(frozen=True)
class GuestCamera:
    """A real camera, named with ``--camera``; its credentials are kept apart from its address."""

    camera_id: str
    url: str
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)


def guest_cameras(urls: Sequence[str]) -> list[GuestCamera]:
    """The cameras named on the command line.

    Raises:
        ConfigError: an address is not one of RTSP. The sentence does not repeat the address, which may
            hold a password.
    """
    cameras = []
    for number, url in enumerate(urls, start=1):
        parts = urlsplit(url)
        try:
            usable = parts.scheme.lower() in {"rtsp", "rtsps"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable or any(letter.isspace() for letter in url):
            raise ConfigError(
                f"--camera (number {number}): is not an address such as "
                "rtsp://user:password@192.0.2.10:554/stream. "
                "Characters like / and # in a password must be written as %2F and %23."
            )
        clean = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        username = None if parts.username is None else unquote(parts.username)
        password = None if parts.password is None else unquote(parts.password)
        if any("${" in (text or "") for text in (username, password, clean)):
            raise ConfigError(
                f"--camera (number {number}): must not contain ${{; use a configuration file for it."
            )
        cameras.append(GuestCamera(f"camera-{number}", clean, username, password))
    return cameras


def edge_configuration(
    *,
    data_dir: Path,
    backend_url: str,
    secret: str,
    status_port: int,
    streams: Mapping[str, str],
    guests: Iterable[GuestCamera] = (),
    names: Mapping[str, str] | None = None,
    at_once: int | None = None,
) -> dict[str, Any]:
    """What ``kitchen-watch edge`` reads. ``streams`` maps the ids of served cameras to their addresses."""
    cameras: list[dict[str, Any]] = []
    for camera_id, url in streams.items():
        camera: dict[str, Any] = {
            "camera_id": camera_id,
            "main": {"url": url, "open_timeout": 5, "read_timeout": 5},
        }
        if camera_id in _CLOSED:
            camera["opening_hours"] = "closed"
        if camera_id in _COLD_DISHES:
            camera["rules"] = {"NO_MASK": {"tier": 2}}
        cameras.append(camera)
    for guest in guests:
        source = {"url": guest.url, "username": guest.username, "password": guest.password}
        cameras.append(
            {
                "camera_id": guest.camera_id,
                "main": {key: value for key, value in source.items() if value is not None},
            }
        )
    for camera in cameras:
        camera["name"] = (names or {}).get(camera["camera_id"], camera["camera_id"])
    turns = {} if at_once is None else {"turns": {"mode": "always", "at_once": at_once, "watch_s": 20}}
    return {
        **turns,
        "edge_id": EDGE_ID,
        "data_dir": str(data_dir),
        "backend": {"url": backend_url, "secret": secret},
        "analysis": {"frames_per_second": ANALYSED_PER_SECOND},
        "rules": DEMO_RULES,
        "status": {"host": LOOPBACK, "port": status_port},
        "cameras": cameras,
    }


def backend_configuration(*, data_dir: Path, port: int) -> dict[str, Any]:
    """What ``kitchen-watch backend`` reads."""
    return {
        "data_dir": str(data_dir),
        "host": LOOPBACK,
        "port": port,
        "public_url": f"http://{LOOPBACK}:{port}",
        # A newcomer sees a report with its PDF and workbook, and need not wait for the evening.
        "reports": {"begin_with_yesterday": True},
    }


def write_private(path: Path, values: Mapping[str, Any]) -> None:
    """Write YAML that only the owner may read, whole or not at all."""
    text = yaml.safe_dump(dict(values), allow_unicode=True, sort_keys=False)
    _write_private_text(path, "# Written by kitchen-watch demo at every start; changes are lost.\n" + text)


def kept_secret(path: Path) -> str:
    """The edge's secret of earlier starts, or a new one that is kept."""
    if path.is_file():
        kept = path.read_text(encoding="utf-8").strip()
        if kept:
            return kept
    secret = new_secret()
    _write_private_text(path, secret + "\n")
    return secret


def prepare(data_dir: Path) -> Path:
    """Make the demo's directory; its absolute path.

    Raises:
        ConfigError: it cannot be made or written.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        home = data_dir.resolve()
        (home / "demo.lock").touch(mode=_OWNER_ONLY)
    except OSError as error:
        raise ConfigError(
            f"--data-dir {data_dir}: cannot be used ({error.strerror}). "
            "Choose a directory that you may write to."
        ) from error
    return home


def forget(home: Path) -> None:
    """Remove earlier alerts, logins, evidence and logs; the rendered films stay."""
    for part in ("backend", "edge", "logs"):
        shutil.rmtree(home / part, ignore_errors=True)
    for part in ("edge-secret", "edge.yaml", "backend.yaml", "district.yaml"):
        (home / part).unlink(missing_ok=True)


def free_ports(wanted: int, *, count: int = 1, required: bool = False, what: str = "") -> int:
    """The first of ``count`` free ports in a row: ``wanted`` if it is free, else others.

    Raises:
        ConfigError: ``required`` and not free.
    """
    if wanted and all(_is_free(wanted + step) for step in range(count)):
        return wanted
    if required:
        raise ConfigError(
            f"{what} {wanted}: the port is in use. Stop the other program or choose another port; "
            "without the option a free one is found."
        )
    for _ in range(50):
        with closing(socket.socket()) as probe:
            probe.bind((LOOPBACK, 0))
            first = int(probe.getsockname()[1])
        if first + count < 65_536 and all(_is_free(first + step) for step in range(count)):
            return first
    raise ConfigError("No free port was found on this machine. Stop some other programs.")


def _is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except (OSError, OverflowError):
            return False
    return True


def _write_private_text(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.new")
    partial.unlink(missing_ok=True)
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    partial.replace(path)
