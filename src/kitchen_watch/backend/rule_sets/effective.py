"""Which rules hold for a camera at a moment, and where each parameter comes from. Pure.

Rule sets lie over one another, the more particular over the more general: everywhere, a node of the
tree, a business type, an area type, both, one premises, one camera. Campaigns lie over all of them
while they last, and among themselves in the same order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Rules = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Place:
    """A camera, as far as rules depend on it."""

    camera_id: str
    premises_id: int
    node_path: str
    business_type: str
    area_type: str


@dataclass(frozen=True, slots=True)
class Layer:
    """One rule set; what is ``None`` does not narrow it."""

    rule_set_id: int
    version: int
    name: str
    rules: Rules
    business_type: str | None = None
    area_type: str | None = None
    node_path: str | None = None
    premises_id: int | None = None
    camera_id: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    enabled: bool = True

    @property
    def is_campaign(self) -> bool:
        """Whether it holds for a time only."""
        return self.starts_at is not None or self.ends_at is not None

    def holds(self, place: Place, at: datetime) -> bool:
        """Whether it says anything about this camera at this moment; the end itself is outside."""
        return (
            self.enabled
            and self.business_type in {None, place.business_type}
            and self.area_type in {None, place.area_type}
            and self.premises_id in {None, place.premises_id}
            and self.camera_id in {None, place.camera_id}
            and (self.node_path is None or place.node_path.startswith(self.node_path))
            and (self.starts_at is None or self.starts_at <= at)
            and (self.ends_at is None or at < self.ends_at)
        )

    @property
    def rank(self) -> tuple[bool, bool, bool, bool, bool, int, int]:
        """Of two that say something about one parameter, the one with the higher rank is heard."""
        return (
            self.is_campaign,
            self.camera_id is not None,
            self.premises_id is not None,
            self.area_type is not None,
            self.business_type is not None,
            len(self.node_path or ""),
            self.rule_set_id,
        )


@dataclass(frozen=True, slots=True)
class Effective:
    """The parameters that hold, and the rule set that each comes from."""

    rules: dict[str, dict[str, Any]] = field(default_factory=dict)
    origin: dict[str, dict[str, int]] = field(default_factory=dict)
    versions: dict[int, int] = field(default_factory=dict)
    """Version by rule set, of all that hold here."""


def effective_rules(layers: Iterable[Layer], place: Place, at: datetime) -> Effective:
    """Lay the rule sets that hold over one another, parameter by parameter."""
    found = Effective()
    for layer in sorted((one for one in layers if one.holds(place, at)), key=lambda one: one.rank):
        found.versions[layer.rule_set_id] = layer.version
        for code, parameters in layer.rules.items():
            found.rules.setdefault(code, {}).update(parameters)
            found.origin.setdefault(code, {}).update(dict.fromkeys(parameters, layer.rule_set_id))
    return found


def fitted(rules: Rules, zone_ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """The rules with only the zones that this camera has.

    A rule that is bound to zones of which the camera has none is switched off there: it must not
    look everywhere instead.
    """
    found = {}
    for code, parameters in rules.items():
        own = dict(parameters)
        wanted: Sequence[str] = own.get("zones") or ()
        if wanted:
            own["zones"] = [zone_id for zone_id in wanted if zone_id in zone_ids]
            if not own["zones"]:
                own = {name: value for name, value in own.items() if name != "zones"} | {"enabled": False}
        found[code] = own
    return found
