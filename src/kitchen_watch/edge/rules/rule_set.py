"""The rule set: the catalogue of ``configs/rules.yaml``, overridden and checked against a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import Field, model_validator

from kitchen_watch.config import Settings, load_settings, validate
from kitchen_watch.edge.rules.hours import OpeningHours
from kitchen_watch.edge.rules.parameters import (
    AttireParameters,
    CameraParameters,
    ContentParameters,
    LabelParameters,
    NightParameters,
    OfflineParameters,
    PestParameters,
    RuleParameters,
    ZoneParameters,
)
from kitchen_watch.edge.rules.zone import Zone
from kitchen_watch.errors import ConfigError
from kitchen_watch.events import ViolationCode


class Catalogue(Settings):
    """Every rule by its code. A code that is not written does not run."""

    NO_HAT: AttireParameters | None = None
    NO_MASK: AttireParameters | None = None
    RODENT: PestParameters | None = None
    COCKROACH: PestParameters | None = None
    SMOKING: LabelParameters | None = None
    PHONE_USE: LabelParameters | None = None
    PET_ANIMAL: LabelParameters | None = None
    NO_UNIFORM: LabelParameters | None = None
    NO_GLOVE: LabelParameters | None = None
    BIN_UNCOVERED: LabelParameters | None = None
    FIRE_UNATTENDED: LabelParameters | None = None
    FLOOR_WATER: LabelParameters | None = None
    NIGHT_INTRUSION: NightParameters | None = None
    ZONE_INTRUSION: ZoneParameters | None = None
    CAM_OFFLINE: OfflineParameters | None = None
    CAM_COVERED: CameraParameters | None = None
    CAM_FROZEN: CameraParameters | None = None
    CAM_MOVED: CameraParameters | None = None
    CAM_BLURRED: CameraParameters | None = None


class CameraRules(Settings):
    """What one camera's configuration says about rules.

    ``rules`` holds parameters that differ from the rule set, by code:
    ``{NO_HAT: {held_s: 1, zones: [stove]}}``.
    """

    rules: dict[ViolationCode, dict[str, Any]] = Field(default_factory=dict)
    zones: tuple[Zone, ...] = ()
    hours: OpeningHours = Field(default_factory=OpeningHours.always_open)

    @model_validator(mode="after")
    def _zone_ids_differ(self) -> Self:
        seen: set[str] = set()
        for zone in self.zones:
            if zone.zone_id in seen:
                raise ValueError(f"two zones are called {zone.zone_id!r}; give each its own zone_id")
            seen.add(zone.zone_id)
        return self


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """A rule that does not run, and why."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class LabelCheck:
    """A rule set as far as one model can serve it.

    ``usable`` is False where not one rule about the picture's content is left: the caller refuses
    the model then, since it would watch and never see.
    """

    rule_set: RuleSet
    switched_off: tuple[SwitchedOff, ...]
    usable: bool


class RuleSet(Settings):
    """All rules with their parameters; ``own`` holds rules for labels of a user's own model."""

    grow_s: Annotated[
        float, Field(ge=1.0, le=3600.0, description="a lasting violation tells so often that it grows")
    ] = 10.0
    rules: Catalogue
    own: dict[ViolationCode, LabelParameters] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _own_codes_are_new(self) -> Self:
        for code in self.own:
            if code in Catalogue.model_fields:
                raise ValueError(f"own.{code}: belongs to the catalogue; write it under rules")
        return self

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a rules file.

        Raises:
            ConfigError: it cannot be read, or something in it is not acceptable.
        """
        return load_settings(path, cls)

    def items(self) -> Iterator[tuple[str, RuleParameters]]:
        """Code and parameters of every rule that is written, enabled or not."""
        for code in Catalogue.model_fields:
            parameters: RuleParameters | None = getattr(self.rules, code)
            if parameters is not None:
                yield code, parameters
        yield from self.own.items()

    def override(self, *assignments: str) -> Self:
        """The rule set with ``"NO_HAT.held_s=1.0"`` and the like applied, in order.

        The value is read as YAML: ``true``, ``3``, ``[stove, sink]``.

        Raises:
            ConfigError: not of that form, an unknown rule or parameter, or a value out of bounds.
        """
        rule_set = self
        for assignment in assignments:
            place, equals, text = assignment.partition("=")
            code, dot, parameter = place.strip().partition(".")
            if not (equals and dot and code and parameter):
                raise ConfigError(
                    f"{assignment!r} is not an override of a rule. Write CODE.parameter=value, for "
                    "example NO_HAT.held_s=1.0."
                )
            try:
                value = yaml.safe_load(text)
            except (yaml.YAMLError, ValueError, RecursionError):  # also a day that does not exist
                raise ConfigError(f"{assignment!r}: the value cannot be read. Write it as in YAML.") from None
            rule_set = rule_set.patched({code: {parameter: value}}, where=assignment)
        return rule_set

    def for_camera(self, camera: CameraRules, *, where: str = "camera") -> Self:
        """The rule set with a camera's own parameters, its zones checked.

        Raises:
            ConfigError: an unknown rule, parameter or zone, or a value out of bounds.
        """
        rule_set = self.patched(camera.rules, where=where)
        known = {zone.zone_id for zone in camera.zones}
        for code, parameters in rule_set.items():
            for zone_id in parameters.zones if isinstance(parameters, ContentParameters) else ():
                if zone_id not in known:
                    names = ", ".join(sorted(known)) or "none"
                    raise ConfigError(
                        f"{where}: {code}.zones: there is no zone {zone_id!r}. Zones of this camera: {names}."
                    )
        return rule_set

    def patched(self, changes: Mapping[str, Mapping[str, Any]], *, where: str) -> Self:
        """The rule set with some parameters replaced, validated as a whole.

        Raises:
            ConfigError: an unknown rule or parameter, or a value out of bounds.
        """
        if not changes:
            return self
        values = self.model_dump(mode="json", exclude_none=True)
        present = dict(self.items())
        for code, parameters in changes.items():
            if code not in present:
                raise ConfigError(
                    f"{where}: {code} is not a rule of this rule set. Its rules: {', '.join(present)}."
                )
            known = type(present[code]).model_fields
            for parameter in parameters:
                if parameter not in known:
                    raise ConfigError(
                        f"{where}: {code} has no parameter {parameter!r}. It has: {', '.join(known)}."
                    )
            values["own" if code in self.own else "rules"][code].update(parameters)
        return validate(values, type(self), where=where)

    def check_labels(self, labels: Iterable[str]) -> LabelCheck:
        """Switch off the rules for which a model with these labels has no eyes."""
        have = set(labels)
        off: list[SwitchedOff] = []
        usable = False
        for code, parameters in self.items():
            if not parameters.enabled:
                off.append(SwitchedOff(code, "switched off in the configuration"))
            elif isinstance(parameters, ContentParameters):
                if have.isdisjoint(parameters.labels):
                    off.append(SwitchedOff(code, f"the model has no label {_any(parameters.labels)}"))
                else:
                    usable = True
        disabled = {entry.code: {"enabled": False} for entry in off}
        return LabelCheck(self.patched(disabled, where="rules"), tuple(off), usable)


def _any(labels: Sequence[str]) -> str:
    return " or ".join(repr(label) for label in labels)
