"""What is asked when the organisation is changed: one body for making something and for changing it."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from kitchen_watch.backend.auth.roles import Role
from kitchen_watch.backend.bounds import PlaceId
from kitchen_watch.backend.local_time import checked_zone
from kitchen_watch.backend.organisations.tables import AreaType, NodeKind
from kitchen_watch.backend.public.schemas import Grade
from kitchen_watch.events import Identifier

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"([01]?\d|2[0-3]):[0-5]\d-(([01]?\d|2[0-3]):[0-5]\d|24:00)")

Name = Annotated[str, Field(min_length=1, max_length=100)]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", examples=["district-1"])]
Version = Annotated[
    int | None,
    Field(ge=1, le=2**31 - 1, description="the version you have seen; empty only when something is made"),
]
GbId = Annotated[str, Field(pattern=r"^\d{20}$", description="20 digits of GB/T 28181")]


class Body(BaseModel):
    """Strict: an unknown key is a mistake, blanks around texts are none; NUL cannot be stored."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    @model_validator(mode="after")
    def _no_control_characters(self) -> Self:
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, str) and any(ord(letter) < 32 for letter in value):
                raise ValueError(f"{name} carries a control character; remove it")
        return self


class NodeBody(Body):
    """A node of the tree; without a parent it is a root."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"code": "grid-7", "kind": "grid", "name": "七号网格", "parent_id": 3}]
        }
    )

    code: Code
    kind: NodeKind
    name: Name
    name_en: str = Field(default="", max_length=100)
    parent_id: PlaceId | None = None
    version: Version = None


class GroupBody(Body):
    """A supervision group and the subtrees it may see."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"code": "group-3", "name": "第三督查组", "node_ids": [2]}]}
    )

    code: Code
    name: Name
    name_en: str = Field(default="", max_length=100)
    sees_all: bool = False
    node_ids: list[PlaceId] = Field(default=[], max_length=200)
    version: Version = None


class PremisesBody(Body):
    """One licensed premises; the three grades are three scales and never stand for one another."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "licence_no": "JY16401040012345",
                    "name": "老字号饭店",
                    "business_type": "restaurant",
                    "node_id": 4,
                    "hours": {"mon": ["10:00-14:00", "17:00-21:30"]},
                    "inspection_grade": "B",
                    "risk_grade": "A",
                }
            ]
        }
    )

    licence_no: str = Field(min_length=1, max_length=64)
    name: str = Field(min_length=1, max_length=200)
    name_en: str = Field(default="", max_length=200)
    business_type: str = Field(default="restaurant", pattern=r"^[a-z][a-z0-9_]{0,63}$")
    address: str = Field(default="", max_length=300)
    node_id: PlaceId = Field(description="its grid: a leaf of the tree that has a grid officer")
    time_zone: str | None = Field(
        default=None, max_length=64, description="default: what it has, or that of the service"
    )
    hours: dict[str, list[str]] = Field(default={}, description="local opening hours by weekday, mon to sun")
    responsible_person: str = Field(default="", max_length=100)
    phone: str = Field(default="", max_length=40)
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)
    inspection_grade: Grade | None = Field(
        default=None, description="量化等级; one that differs from the present is recorded as awarded now"
    )
    graded_on: date | None = Field(default=None, description="when it was awarded; default: today")
    risk_grade: Literal["A", "B", "C", "D"] | None = Field(
        default=None, description="风险等级: A low to D high"
    )
    rollout_batch: str = Field(default="", max_length=64)
    uniform: str = Field(default="", max_length=300, description="what counts as work clothes here")
    active: bool = True
    version: Version = None

    @field_validator("hours")
    @classmethod
    def _are_spans(cls, hours: dict[str, list[str]]) -> dict[str, list[str]]:
        for day, spans in hours.items():
            if day not in WEEKDAYS:
                raise ValueError(f"{day!r} is no weekday; write {', '.join(WEEKDAYS)}")
            for span in spans:
                if not _SPAN.fullmatch(span) or span.split("-")[0] == span.split("-")[1]:
                    raise ValueError(f"{span!r} is no span of time; write one like 08:00-22:00")
        return hours

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str | None) -> str | None:
        return None if name is None else checked_zone(name)


class CameraBody(Body):
    """One camera. Where its picture comes from is known to its edge alone."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "热厨灶台", "premises_id": 1, "edge_id": "edge-1", "area_type": "stove",
                 "zone_type": "cooking"}
            ]
        }
    )  # fmt: skip

    premises_id: PlaceId
    edge_id: Identifier
    name: Name
    name_en: str = Field(default="", max_length=100)
    area_type: AreaType
    zone_type: str = Field(default="", pattern=r"^([a-z][a-z0-9_]{0,63})?$", examples=["cold_room"])
    public: bool = False
    gb_device_id: GbId | None = None
    gb_channel_id: GbId | None = None
    enabled: bool = Field(default=True, description="false: its edge leaves it alone")
    version: Version = None


class NewCameraBody(CameraBody):
    """A camera to be made, with the id under which its edge knows it."""

    camera_id: Identifier


class PersonBody(Body):
    """A login. Which place it needs depends on its role."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"username": "zhang.wei", "display_name": "张伟", "role": "grid_officer", "node_id": 4}
            ]
        }
    )

    username: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{1,63}$")
    display_name: Name
    role: Role
    node_id: PlaceId | None = None
    premises_id: PlaceId | None = None
    group_id: PlaceId | None = None
    disabled: bool = False
    version: Version = None


class OfficialBody(Body):
    """The official who is responsible (包保) for a premises from now on; nobody where it is empty."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"person_id": 6, "level": "D"}]})

    person_id: PlaceId | None
    level: Literal["A", "B", "C", "D"] = Field(default="D", description="包保级别; premises have C or D")
