"""The roles people may have, and the two sides they stand on."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What somebody is to the service; exactly one per login."""

    ADMIN = "admin"
    SUPERVISOR = "supervisor"
    GRID_OFFICER = "grid_officer"
    RESPONSIBLE_OFFICIAL = "responsible_official"
    PREMISES_MANAGER = "premises_manager"
    PREMISES_STAFF = "premises_staff"


REGULATORS = frozenset({Role.ADMIN, Role.SUPERVISOR, Role.GRID_OFFICER, Role.RESPONSIBLE_OFFICIAL})
"""The territory side, and those who run the service."""

PREMISES_SIDE = frozenset({Role.PREMISES_MANAGER, Role.PREMISES_STAFF})
"""The restaurant's own people."""
