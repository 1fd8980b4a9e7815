"""The sample district: the shipped file, and the cameras and secret that one start adds to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kitchen_watch.config import read_yaml
from kitchen_watch.resources import shipped

EDGE_ID = "demo-edge"
HOME = "JY29901010000017"
"""Licence of the restaurant that receives a user's own cameras."""
SHIPPED = "configs/demo-district.yaml"


@dataclass(frozen=True)
class Login:
    """A sample login with its place, as the start screen shows it."""

    username: str
    display_name: str
    role: str


def district(
    *, secret: str, guests: Mapping[str, str] | None = None, without_samples: bool = False
) -> dict[str, Any]:
    """The district's specification with the edge's ``secret`` and more cameras.

    ``guests`` maps the ids of a user's own cameras to their names; they are put into the first
    restaurant. ``without_samples`` leaves the sample cameras out.

    Raises:
        ConfigError: the installation lacks the shipped file.
    """
    values, _ = read_yaml(shipped(SHIPPED))
    for edge in values["edges"]:
        if edge["edge_id"] == EDGE_ID:
            edge["secret"] = secret
    for premises in _premises(values["nodes"]):
        if without_samples:
            premises["cameras"] = []
        if premises["licence_no"] == HOME:
            premises["cameras"] = [
                *premises.get("cameras", []),
                *(
                    {"camera_id": camera_id, "edge": EDGE_ID, "name": name, "area": "area"}
                    for camera_id, name in (guests or {}).items()
                ),
            ]
    return values


def logins(specification: Mapping[str, Any]) -> list[Login]:
    """The sample logins in the file's order."""
    return [
        Login(person["username"], person["display_name"], person["role"])
        for person in specification["people"]
    ]


def camera_names(specification: Mapping[str, Any]) -> dict[str, str]:
    """Name of every camera: its restaurant's and its own."""
    return {
        camera["camera_id"]: f"{premises['name']} {camera['name']}"
        for premises in _premises(specification["nodes"])
        for camera in premises.get("cameras", [])
    }


def _premises(nodes: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for node in nodes:
        yield from node.get("premises", [])
        yield from _premises(node.get("children", []))
