"""Ids of views and pushes that say which process they belong to.

The last hex digit is the process's number, so that a proxy in front of several can send what edges push,
and what browsers say of a running view, to the process that waits for it (``deploy/nginx``).
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

NewId = Callable[[], UUID]


def ids_of(process_number: int) -> NewId:
    """A maker of random ids for the process of that number (0 to 15)."""

    def new_id() -> UUID:
        return UUID(int=uuid4().int >> 4 << 4 | process_number)

    return new_id
