"""The configuration in force: the local file, with what the backend offered and the edge accepted.

An offer can change what is looked for in a camera (zones, rules, hours, privacy) or add a camera;
it is merged key by key over the file, validated as a whole, and kept on disk so that it survives a
restart without the backend. A bad file or offer changes nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from kitchen_watch.config import read_yaml, validate
from kitchen_watch.control import ConfigurationOffer
from kitchen_watch.edge.settings import EdgeSettings
from kitchen_watch.errors import ConfigError

Offered = Mapping[str, Mapping[str, Any] | None]
OFFER_FILE = "accepted-configuration.json"


@dataclass(frozen=True, slots=True)
class Configuration:
    """Validated settings and the version of the backend's offer in them, if any."""

    settings: EdgeSettings
    version: str | None = None
    offered: Offered | None = None


class ConfigurationSource(Protocol):
    """Where an edge reads what it is to watch: its own file, or its part of a cluster's."""

    def load(self) -> Configuration:
        """What is written there now, with the offer that was last accepted.

        Raises:
            ConfigError: it is bad.
        """
        ...

    def with_offer(self, offer: ConfigurationOffer) -> Configuration:
        """That merged with a new offer; nothing is stored yet.

        Raises:
            ConfigError: what in the offer cannot be accepted.
        """
        ...


@dataclass(frozen=True, slots=True)
class ConfigurationFile:
    """An edge's own YAML file."""

    path: Path

    def load(self) -> Configuration:
        """See :class:`ConfigurationSource`."""
        return load_configuration(self.path)

    def with_offer(self, offer: ConfigurationOffer) -> Configuration:
        """See :class:`ConfigurationSource`."""
        return with_offer(self.path, offer)


def load_configuration(path: Path) -> Configuration:
    """Read the file and merge the offer that was last accepted.

    Raises:
        ConfigError: the file is bad, or does not fit the accepted offer any more.
    """
    values, lines = read_yaml(path)
    settings = validate(values, EdgeSettings, where=str(path), lines=lines)
    kept = read_offer(settings.data_dir)
    if kept is None:
        return Configuration(settings)
    version, offered = kept
    merged = validate(merge(values, offered), EdgeSettings, where=f"{path} with offer {version}")
    return Configuration(merged, version, offered)


def with_offer(path: Path, offer: ConfigurationOffer) -> Configuration:
    """The file merged with a new offer; nothing is stored yet.

    Raises:
        ConfigError: what in the offer cannot be accepted.
    """
    values, lines = read_yaml(path)
    validate(values, EdgeSettings, where=str(path), lines=lines)  # it may have been changed since the start
    merged = validate(merge(values, offer.cameras), EdgeSettings, where=f"configuration {offer.version}")
    return Configuration(merged, offer.version, offer.cameras)


def keep_offer(configuration: Configuration) -> None:
    """Store the accepted offer, whole or not at all."""
    target = configuration.settings.data_dir / OFFER_FILE
    draft = target.with_suffix(".new")
    body = json.dumps(
        {"version": configuration.version, "cameras": configuration.offered}, ensure_ascii=False
    )
    with open(draft, "w", encoding="utf-8", opener=_private) as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(target)


def merge(values: Mapping[str, Any], offered: Offered) -> dict[str, Any]:
    """``values`` of the file with each offered camera's keys laid over it; ``None`` takes it away.

    Privacy masks of the file stay, whatever is offered: what was hidden on the spot is not uncovered
    from afar. An offered mask with the same ``zone_id`` takes its place.
    """
    cameras = values.get("cameras") or []
    if not isinstance(cameras, list):
        return dict(values)
    local = [camera for camera in cameras if isinstance(camera, dict)]
    known = {camera.get("camera_id") for camera in local}
    merged = [
        _laid_over(camera, offered.get(camera.get("camera_id", "")) or {})
        if offered.get(camera.get("camera_id", ""), {}) is not None
        else {**camera, "enabled": False}
        for camera in local
    ]
    added = [
        {**keys, "camera_id": camera_id}
        for camera_id, keys in offered.items()
        if camera_id not in known and keys is not None
    ]
    return {**values, "cameras": merged + added}


def _laid_over(camera: Mapping[str, Any], offered: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**camera, **offered}
    local, masks = camera.get("privacy"), offered.get("privacy")
    if isinstance(local, list) and isinstance(masks, list):
        replaced = {mask.get("zone_id") for mask in masks if isinstance(mask, dict)}
        kept = [mask for mask in local if not (isinstance(mask, dict) and mask.get("zone_id") in replaced)]
        merged["privacy"] = kept + masks
    return merged


def read_offer(data_dir: Path) -> tuple[str, Offered] | None:
    """The offer that was last accepted, with its version; ``None`` if there was none.

    Raises:
        ConfigError: it cannot be read.
    """
    path = data_dir / OFFER_FILE
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        version, cameras = str(kept["version"]), dict(kept["cameras"])
        if not all(keys is None or isinstance(keys, dict) for keys in cameras.values()):
            raise TypeError("a camera without keys")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ConfigError(
            f"{path}: the configuration that the backend gave cannot be read. Move the file away; the "
            "backend will offer it again."
        ) from error
    return version, cameras


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
