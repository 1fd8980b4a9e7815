"""The person behind a request: who they are, what they may see, and through which session."""

from __future__ import annotations

from dataclasses import dataclass, field

from kitchen_watch.backend.auth.roles import PREMISES_SIDE, REGULATORS, Role
from kitchen_watch.backend.organisations.scope import Scope


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is logged in. ``scope`` goes into every query made for them."""

    id: int
    username: str
    display_name: str
    role: Role
    scope: Scope
    scope_name: str
    premises_id: int | None
    node_id: int | None
    locale: str | None
    must_change_password: bool
    session_key: str = field(repr=False)
    """Hash of the session's token: names the session, opens nothing."""
    csrf_token: str = field(repr=False)

    @property
    def is_regulator(self) -> bool:
        """Territory side, or who runs the service."""
        return self.role in REGULATORS

    @property
    def is_premises_side(self) -> bool:
        """The restaurant's own people."""
        return self.role in PREMISES_SIDE
