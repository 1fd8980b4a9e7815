"""The parameters of every kind of rule, strict: what may be written about a rule, and its bounds."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from pydantic import Field

from kitchen_watch.config import Settings
from kitchen_watch.events import Identifier, canonical_json

Seconds = Annotated[float, Field(ge=0.0, le=86_400.0)]
Positive = Annotated[float, Field(gt=0.0, le=86_400.0)]
Fraction = Annotated[float, Field(gt=0.0, le=1.0)]
Label = Annotated[str, Field(min_length=1, max_length=64)]
Labels = Annotated[tuple[Label, ...], Field(min_length=1)]


class Name(Settings):
    """What people call a violation."""

    zh: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]


class RuleParameters(Settings):
    """What every rule has. Durations are seconds and named ``*_s``."""

    name: Name
    tier: Annotated[int, Field(ge=1, le=3, description="1 at once, 2 by a deadline, 3 daily guidance")]
    enabled: bool = True
    absent_s: Annotated[Positive, Field(description="closes when not seen for so long")]
    cooldown_s: Annotated[Seconds, Field(description="a recurrence inside re-opens the same violation")]


class ContentParameters(RuleParameters):
    """A rule about what is in the picture."""

    labels: Annotated[Labels, Field(description="the rule runs if the model has any of them")]
    zones: Annotated[
        tuple[Identifier, ...],
        Field(description="only inside these zones of the camera, one violation each; none = everywhere"),
    ] = ()


SecondLook = Annotated[
    bool,
    Field(description="opens only if a second look, at a larger crop, agrees; suspicions then count, too"),
]


class HeldParameters(ContentParameters):
    """A rule that must hold: ``fraction`` of the analysed frames over ``held_s``, on one track."""

    held_s: Positive
    fraction: Fraction = 0.7


class AttireParameters(HeldParameters):
    """NO_HAT, NO_MASK: a bare head or face that is seen, large enough to judge."""

    min_person_px: Annotated[
        float, Field(ge=0.0, description="a person less tall in the analysed picture gives no alert")
    ] = 80.0
    whole_head: Annotated[
        bool, Field(description="a head cut by the upper edge of the picture is unknown")
    ] = False
    second_look: SecondLook = True


class LabelParameters(HeldParameters):
    """A label that is a violation by itself, from any model that has it."""

    unless_labels: Annotated[
        tuple[Label, ...], Field(description="no violation while any of these is in the picture")
    ] = ()


class PestParameters(ContentParameters):
    """RODENT, COCKROACH: some hits on one track, where asked for a track that moves by itself."""

    hits: Annotated[int, Field(ge=1)]
    within_s: Positive
    moving: bool
    min_travel: Annotated[
        float, Field(ge=0.0, description="path in lengths of its own box that counts as moving")
    ] = 0.5
    min_confidence: Annotated[
        float, Field(ge=0.0, le=1.0, description="a sighting less sure than this is no hit")
    ] = 0.0
    veto_labels: Annotated[
        tuple[Label, ...], Field(description="an animal of these labels in its place is no pest")
    ] = ()
    max_person_share: Annotated[
        float | None,
        Field(gt=0.0, description="longer than this share of the tallest person lately seen is no pest"),
    ] = None
    second_look: SecondLook = False


class NightParameters(HeldParameters):
    """NIGHT_INTRUSION: somebody is there while the kitchen is closed."""


class ZoneParameters(HeldParameters):
    """ZONE_INTRUSION: more people stand in one of ``zones`` than are allowed there."""

    max_persons: Annotated[int, Field(ge=0)] = 0


class CameraParameters(RuleParameters):
    """A camera fault read from the picture; ``absent_s`` of a good picture closes it."""

    held_s: Positive
    fraction: Fraction = 0.7
    pauses: Annotated[bool, Field(description="content rules pause while it is open")] = True


class OfflineParameters(RuleParameters):
    """CAM_OFFLINE: ``held_s`` counts in open hours, ``closed_held_s`` outside them."""

    held_s: Positive
    closed_held_s: Positive
    pauses: Annotated[bool, Field(description="content rules pause while it is open")] = True


def rule_version(parameters: dict[str, Any]) -> str:
    """First 12 hex digits of the SHA-256 of the parameters' canonical JSON."""
    return hashlib.sha256(canonical_json(parameters)).hexdigest()[:12]
