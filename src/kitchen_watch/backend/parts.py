"""The parts a running backend is made of, and how a route gets at them.

Made once by ``app.create_app``; nothing here is a module-level singleton, so two backends can live
in one process (tests do that).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from kitchen_watch.backend.address_limit import SharedAddressLimit
from kitchen_watch.backend.alerts.hub import FeedHub
from kitchen_watch.backend.auth.service import Login
from kitchen_watch.backend.auth.vault import Vault
from kitchen_watch.backend.database import Database
from kitchen_watch.backend.edges.control import ControlHub
from kitchen_watch.backend.evidence.links import MediaLinks
from kitchen_watch.backend.evidence.store import EvidenceStore
from kitchen_watch.backend.evidence.upload import Uploads
from kitchen_watch.backend.live.hub import LiveHub
from kitchen_watch.backend.metrics import Metrics
from kitchen_watch.backend.public.pictures import PublicPictures
from kitchen_watch.backend.settings import BackendSettings
from kitchen_watch.clock import Clock


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that routes and pages may need; services receive single parts, not this."""

    settings: BackendSettings
    clock: Clock
    database: Database
    login: Login
    vault: Vault
    links: MediaLinks
    evidence: EvidenceStore
    uploads: Uploads
    feed: FeedHub
    control: ControlHub
    live: LiveHub
    metrics: Metrics
    public_limit: SharedAddressLimit
    public_pictures: PublicPictures


def parts_of(connection: HTTPConnection) -> Parts:
    """The parts behind a request or WebSocket."""
    return cast("Parts", connection.app.state.parts)


PartsOf = Annotated[Parts, Depends(parts_of)]
