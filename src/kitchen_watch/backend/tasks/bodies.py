"""A task as a file or a form says it."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from kitchen_watch.backend.tasks.tables import MAX_TEXT

_Line = r"^[^\x00-\x1f]*$"


class TaskBody(BaseModel):
    """One task; ``node_codes`` are the units it is given to."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "number": "3.2",
                    "title": "学校食堂明厨亮灶全覆盖",
                    "department": "餐饮科",
                    "due_on": "2026-06-30",
                    "weight": 3,
                    "node_codes": ["grid-1"],
                }
            ]
        },
    )

    number: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_Line)]
    title: Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=_Line)]
    department: Annotated[str, StringConstraints(max_length=100, pattern=_Line)] = ""
    text: Annotated[str, StringConstraints(max_length=MAX_TEXT, pattern=r"^[^\x00]*$")] = ""
    starts_on: date | None = None
    due_on: date | None = None
    weight: int = Field(default=1, ge=1, le=1000)
    node_codes: list[str] = Field(default=[], max_length=500)

    @model_validator(mode="after")
    def _in_order(self) -> TaskBody:
        if self.starts_on and self.due_on and self.due_on < self.starts_on:
            raise ValueError("it is due before it starts")
        return self
