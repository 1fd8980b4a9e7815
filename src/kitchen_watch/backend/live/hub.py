"""Live view of one process: views and pushes together, and what edges say of them."""

from __future__ import annotations

from uuid import UUID

from starlette.websockets import WebSocket

from kitchen_watch.backend.auth.sessions import SessionTimes
from kitchen_watch.backend.database import Database
from kitchen_watch.backend.edges.control import ControlHub
from kitchen_watch.backend.live.ice import ice_servers
from kitchen_watch.backend.live.own_ids import ids_of
from kitchen_watch.backend.live.pushes import Pushes
from kitchen_watch.backend.live.recordings import Recordings
from kitchen_watch.backend.live.settings import LiveSettings
from kitchen_watch.backend.live.views import LiveViews, View
from kitchen_watch.clock import Clock
from kitchen_watch.control import (
    LiveQuality,
    ViewerAnswer,
    ViewerCandidates,
    ViewerClose,
    ViewerOffer,
)
from kitchen_watch.errors import Conflict


class LiveHub:
    """What routes call; listens to the control connections."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        control: ControlHub,
        times: SessionTimes,
        settings: LiveSettings,
        process_number: int = 0,
    ) -> None:
        new_id = ids_of(process_number)
        self.settings = settings
        self.views = LiveViews(database, clock, times=times, settings=settings, new_id=new_id)
        self.pushes = Pushes(control, timeout_s=settings.answer_timeout_s, new_id=new_id)
        self.recordings = Recordings(control, timeout_s=settings.answer_timeout_s, new_id=new_id)
        self._control = control
        self._clock = clock
        control.live = self

    async def run(self) -> None:
        """Check running views until ``stop``; then end everything."""
        await self.views.run()
        await self.pushes.close()

    def stop(self) -> None:
        """Let ``run`` return."""
        self.views.stop()

    async def answer_offer(self, view: View, offer: str, *, quality: LiveQuality) -> str:
        """The edge's SDP answer to a browser's offer.

        Raises:
            Conflict: the edge is away, does not answer, or refuses, and why. The view is then over.
        """
        servers = ice_servers(self.settings, viewer=str(view.view_id), now=self._clock.now())
        message = ViewerOffer(
            view_id=view.view_id, camera_id=view.camera_id, quality=quality, sdp=offer, ice_servers=servers
        )

        async def stop() -> None:
            await self._control.tell(view.edge_id, ViewerClose(view_id=view.view_id))

        view.stop = stop
        try:
            answer = await self._control.ask(
                view.edge_id, message, view.view_id, timeout_s=self.settings.answer_timeout_s
            )
            if not isinstance(answer, ViewerAnswer) or not answer.accepted or answer.sdp is None:
                reason = answer.reason if isinstance(answer, ViewerAnswer) else None
                raise Conflict(reason or "The edge does not show this camera.")
        except Conflict as error:
            await self.views.end(view, str(error))
            raise
        except BaseException:
            self.views.end_soon(view, "the offer was not answered")
            raise
        return answer.sdp

    async def add_candidates(self, view: View, fragment: str) -> None:
        """Hand the browser's later candidates to the edge."""
        await self._control.tell(view.edge_id, ViewerCandidates(view_id=view.view_id, sdp=fragment))

    async def serve_push(self, socket: WebSocket, edge_id: str, push_id: UUID) -> None:
        """Take what an edge sends over a WebSocket that it was asked to open."""
        if self.recordings.expects(edge_id, push_id):
            await self.recordings.serve(socket, push_id)
        else:
            await self.pushes.serve(socket, edge_id, push_id)

    # what edges say (LiveEar)

    def view_ended(self, edge_id: str, view_id: UUID, reason: str) -> None:
        """An edge ended a view, or refuses a push."""
        self.pushes.refused(edge_id, view_id, reason)
        self.recordings.refused(edge_id, view_id, reason)
        self.views.view_ended(edge_id, view_id, reason)

    def edge_gone(self, edge_id: str) -> None:
        """An edge's control connection is gone."""
        self.views.edge_gone(edge_id)
