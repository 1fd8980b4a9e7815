"""Who watches what at this moment: every view is opened, checked while it runs, and ended in one place.

A view goes on only as long as its session lives and its camera is in the person's scope; both are
looked up again several times a second, in the same place that decides for every other query.
Beginning and end are written to the audit log: who, what, when, how long, why.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from kitchen_watch.backend import notices
from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.sessions import SessionTimes, live_keys
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.database import Database
from kitchen_watch.backend.live.own_ids import NewId
from kitchen_watch.backend.live.settings import LiveSettings
from kitchen_watch.backend.organisations.scope import scope_of
from kitchen_watch.backend.organisations.service import visible_camera
from kitchen_watch.backend.organisations.tables import CameraRow
from kitchen_watch.clock import Clock
from kitchen_watch.errors import Conflict, NotFound

ViewKind = Literal["webrtc", "fmp4", "mjpeg", "tracks"]

log = structlog.get_logger(__name__)


@dataclass(eq=False)
class View:
    """One person watching one camera. ``stop`` ends the media, wherever it flows."""

    person: Person
    address: str
    camera_id: str
    edge_id: str
    premises_id: int
    kind: ViewKind
    quality: str
    purpose: str
    opened_at: datetime
    view_id: UUID = field(default_factory=uuid4)
    stop: Callable[[], Awaitable[None]] | None = None


class LiveViews:
    """All views of this process. Audited; ended when a right or a session ends."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        times: SessionTimes,
        settings: LiveSettings,
        new_id: NewId = uuid4,
    ) -> None:
        self._new_id = new_id
        self._database = database
        self._clock = clock
        self._times = times
        self._settings = settings
        self._views: dict[UUID, View] = {}
        self._entering: Counter[tuple[int, bool]] = Counter()
        self._ending: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()

    def __len__(self) -> int:
        return len(self._views)

    async def open(
        self, person: Person, address: str, camera_id: str, *, kind: ViewKind, quality: str, purpose: str
    ) -> View:
        """Let ``person`` watch, if they may; from now on the view is checked until it ends.

        Raises:
            NotFound: there is no such camera in the person's scope.
            Conflict: the camera is switched off, or the person has too many views open.
        """
        # An overlay comes beside a picture: they are counted apart, so that a full wall can have both.
        # Requests that come together are counted while they are still being let in.
        counted = (person.id, kind == "tracks")
        own = self._entering[counted] + sum(
            (view.person.id, view.kind == "tracks") == counted for view in self._views.values()
        )
        if own >= self._settings.views_per_person:
            raise Conflict(f"You already watch {own} pictures. Close one and try again.")
        self._entering[counted] += 1
        try:
            view = await run_in_threadpool(self._begin, person, address, camera_id, kind, quality, purpose)
            self._views[view.view_id] = view
        finally:
            self._entering[counted] -= 1
            if not self._entering[counted]:
                del self._entering[counted]
        return view

    def find(self, view_id: UUID, person: Person, camera_id: str) -> View:
        """A person's own running view, within the session that opened it.

        Raises:
            NotFound: there is none.
        """
        view = self._views.get(view_id)
        if view is None or view.person.session_key != person.session_key or view.camera_id != camera_id:
            raise NotFound("This view has ended.")
        return view

    async def end(self, view: View, reason: str) -> None:
        """Stop the media and write down how long it was watched. A view that has ended is no matter."""
        if self._views.pop(view.view_id, None) is None:
            return
        try:
            if view.stop is not None:
                await view.stop()
        finally:
            await run_in_threadpool(self._note_end, view, reason)

    def end_soon(self, view: View, reason: str) -> None:
        """The same, for those who cannot wait."""
        task = asyncio.get_running_loop().create_task(self.end(view, reason))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def view_ended(self, edge_id: str, view_id: UUID, reason: str) -> None:
        """An edge says that a view of one of its cameras is over."""
        view = self._views.get(view_id)
        if view is not None and view.edge_id == edge_id:
            self.end_soon(view, reason or "ended by the edge")

    def edge_gone(self, edge_id: str) -> None:
        """An edge is no longer connected; it ends its views by itself."""
        for view in list(self._views.values()):
            if view.edge_id == edge_id:
                self.end_soon(view, "the edge is no longer connected")

    async def run(self) -> None:
        """Check every running view again and again, until ``stop`` is called; then end them all."""
        with self._database.notices.subscribed(notices.SESSIONS) as woken:
            while not self._stopping.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.check_every_s):
                        await woken.wait()
                woken.clear()
                views = list(self._views.values())
                if not views:
                    continue
                try:
                    allowed = await run_in_threadpool(self._allowed, views)
                except SQLAlchemyError as error:
                    # Also where no connection is to be had: what cannot be checked must not go on.
                    log.warning("rights cannot be checked; views end", reason=str(error)[:300])
                    allowed = set()
                for view in views:
                    if view.view_id not in allowed:
                        self.end_soon(view, "the right to watch has ended")
        for view in list(self._views.values()):
            await self.end(view, "the service stops")
        await asyncio.gather(*self._ending)

    def stop(self) -> None:
        """Let ``run`` end every view and return."""
        self._stopping.set()

    def _begin(
        self, person: Person, address: str, camera_id: str, kind: ViewKind, quality: str, purpose: str
    ) -> View:
        now = self._clock.now()
        with self._database.write() as session:
            camera = visible_camera(session, person, camera_id)
            if not camera.enabled:
                raise Conflict(f"Camera {camera_id} is switched off.")
            view = View(
                person=person,
                address=address,
                camera_id=camera_id,
                edge_id=camera.edge_id,
                premises_id=camera.premises_id,
                kind=kind,
                quality=quality,
                purpose=purpose,
                opened_at=now,
                view_id=self._new_id(),
            )
            self._record(session, view, "live_view_opened", now)
        return view

    def _note_end(self, view: View, reason: str) -> None:
        now = self._clock.now()
        seconds = round((now - view.opened_at).total_seconds(), 1)
        with self._database.write() as session:
            self._record(session, view, "live_view_ended", now, seconds=seconds, reason=reason[:200])

    @staticmethod
    def _record(session: Session, view: View, action: str, now: datetime, **facts: object) -> None:
        record(
            session,
            Actor(view.person.id, view.address),
            action,
            at=now,
            about=("camera", view.camera_id),
            premises_id=view.premises_id,
            purpose=view.purpose,
            view=str(view.view_id),
            kind=view.kind,
            quality=view.quality,
            **facts,
        )

    def _allowed(self, views: list[View]) -> set[UUID]:
        with self._database.read() as session:
            keys = {view.person.session_key for view in views}
            alive = live_keys(session, keys, now=self._clock.now(), times=self._times)
            people = session.scalars(
                select(PersonRow).where(PersonRow.id.in_({view.person.id for view in views}))
            )
            allowed: set[UUID] = set()
            for row in people:
                own = [view for view in views if view.person.id == row.id]
                seen = {
                    (camera_id, edge_id)
                    for camera_id, edge_id in session.execute(
                        select(CameraRow.camera_id, CameraRow.edge_id).where(
                            CameraRow.camera_id.in_({view.camera_id for view in own}),
                            CameraRow.enabled,
                            scope_of(session, row).owned(CameraRow.premises_id),
                        )
                    )
                }
                allowed |= {
                    view.view_id
                    for view in own
                    if (view.camera_id, view.edge_id) in seen and view.person.session_key in alive
                }
            return allowed
