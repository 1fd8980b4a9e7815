"""What is asked of and told about check forms."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from kitchen_watch.backend.forms.content import FormContent, FormKind
from kitchen_watch.backend.organisations.bodies import Body, Code

_EXAMPLE: dict[str, JsonValue] = {
    "name": "现场检查表",
    "name_en": "On-site check",
    "sections": [
        {
            "key": "people",
            "name": "人员",
            "name_en": "People",
            "items": [
                {"key": "hats", "name": "工作帽佩戴规范", "name_en": "Hats are worn", "photo_if_bad": True},
                {
                    "key": "fridge",
                    "name": "冷藏温度",
                    "name_en": "Cold storage",
                    "kind": "number",
                    "unit": "°C",
                    "minimum": 0,
                    "maximum": 8,
                },
            ],
        }
    ],
}


class VersionBody(Body):
    """The next version of a form; ``version`` is the newest that you have seen."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"content": _EXAMPLE, "version": 1}]})

    content: FormContent
    version: int = Field(ge=1, le=2**31 - 1)
    note: str = Field(default="", max_length=300, description="why it was changed")


class FormBody(Body):
    """A new form and its first version."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"code": "on-site-canteen", "kind": "on_site", "content": _EXAMPLE}]}
    )

    code: Code
    kind: FormKind
    content: FormContent
    note: str = Field(default="", max_length=300)


class RetireBody(Body):
    """Take a form out of use, or back into it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"retired": True}]})

    retired: bool


class FormSummary(BaseModel):
    """A form by its newest version."""

    model_config = ConfigDict(frozen=True)

    id: int
    code: str
    kind: FormKind
    name: str
    name_en: str
    version: int
    items: int
    retired: bool
    published_at: AwareDatetime


class FormView(BaseModel):
    """One version of a form, whole."""

    model_config = ConfigDict(frozen=True)

    id: int
    version_id: int = Field(description="what a filled form names")
    code: str
    kind: FormKind
    version: int
    newest: int = Field(description="the newest version of this form")
    retired: bool
    content: FormContent
    sha256: str = Field(description="of the content as canonical JSON")
    published_at: AwareDatetime
    published_by: str = Field(description="empty: it came with the service")
    note: str


class FormVersionBrief(BaseModel):
    """One line of a form's history."""

    model_config = ConfigDict(frozen=True)

    version: int
    published_at: AwareDatetime
    published_by: str
    note: str
    sha256: str


class FormHistory(BaseModel):
    """The versions of a form, the newest first."""

    model_config = ConfigDict(frozen=True)

    items: list[FormVersionBrief]


class FormList(BaseModel):
    """Forms, by kind and name."""

    model_config = ConfigDict(frozen=True)

    items: list[FormSummary]
