"""What login and the present person look like over the API."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.roles import Role


class Credentials(BaseModel):
    """A login name and its password."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    username: str = Field(min_length=1, max_length=64, examples=["li.wei"])
    password: SecretStr = Field(min_length=1, max_length=256)


class PasswordChange(BaseModel):
    """The present password and the one to replace it."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    present: SecretStr = Field(min_length=1, max_length=256)
    new: SecretStr = Field(min_length=1, max_length=256)


class Me(BaseModel):
    """The person who is logged in, and the token that unsafe requests carry in ``x-csrf-token``."""

    username: str
    display_name: str
    role: Role
    scope_name: str
    premises_id: int | None
    locale: str | None
    must_change_password: bool
    csrf_token: str

    @classmethod
    def of(cls, person: Person) -> Me:
        """The view of a person."""
        return cls(
            username=person.username,
            display_name=person.display_name,
            role=person.role,
            scope_name=person.scope_name,
            premises_id=person.premises_id,
            locale=person.locale,
            must_change_password=person.must_change_password,
            csrf_token=person.csrf_token,
        )
