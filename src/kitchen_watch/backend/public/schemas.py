"""What the service tells about public pages and grades, and what is asked of it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from kitchen_watch.backend.organisations.tables import AreaType

Grade = Literal["A", "B", "C"]


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class PublicPageView(_View):
    """Where the public page of a premises is."""

    premises_id: int
    url: str = Field(description="what stands in the QR code")
    made_at: AwareDatetime
    public_cameras: int = Field(description="cameras of the premises that are marked public")


class GradeView(_View):
    """An inspection grade as it was awarded."""

    grade: Grade
    awarded_on: date
    authority: str


class GradeBody(BaseModel):
    """A grade that the authority has awarded; it is added and never changed."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    grade: Grade = Field(examples=["A"])
    awarded_on: date = Field(examples=["2026-03-01"])
    authority: Annotated[str, StringConstraints(max_length=100)] = Field(
        default="", examples=["兴庆区市场监督管理局"]
    )


class PublicCamera(_View):
    """A camera marked public, by its place in the row: its id stays inside."""

    number: int
    name: str
    name_en: str
    area_type: AreaType


class PublicPremises(_View):
    """Everything a stranger may know of a premises, and nothing else."""

    name: str
    name_en: str
    licence_no: str
    responsible_person: str
    grade: GradeView | None
    covered: bool = Field(description="a camera of it has reported within the last day")
    areas: tuple[AreaType, ...] = Field(description="what its reporting cameras show")
    cameras: tuple[PublicCamera, ...]
