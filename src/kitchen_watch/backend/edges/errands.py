"""Errands between the processes of one PostgreSQL database: asking an edge that is connected to another.

An errand is a row: a message for an edge, or what came back for the process that sent it. It is taken by
deleting it, so by one process only, and a notice makes that happen at once (:mod:`..listening`).
Rows that nobody took in time are thrown away; whoever waits has given up by then. On SQLite there is
one process and nothing to do.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import structlog
from pydantic import BaseModel, ValidationError
from sqlalchemy import delete, exists, or_, select
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from kitchen_watch.backend.database import Database, announce
from kitchen_watch.backend.edges.control import ControlHub
from kitchen_watch.backend.edges.tables import EdgeErrandRow, EdgeStateRow, ErrandKind
from kitchen_watch.backend.notices import ERRANDS
from kitchen_watch.clock import Clock
from kitchen_watch.control import from_edge
from kitchen_watch.errors import Conflict

LOOK_EVERY_S = 5.0
"""Notices come at once; this is for those that were lost."""
FORGET_AFTER = timedelta(seconds=30)
SPARE_S = 1.0
"""For the way there and back, beyond what the edge has for its answer."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Errand:
    kind: ErrandKind
    edge_id: str
    about: UUID
    sender: str
    body: str


class Errands:
    """What this process sends to others, and does for them."""

    def __init__(self, database: Database, clock: Clock, control: ControlHub) -> None:
        self._database = database
        self._clock = clock
        self._control = control
        self._me = database.origin
        self._waiting: dict[UUID, asyncio.Future[BaseModel]] = {}
        self._working: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Take errands until stopped; a database that is away for a while is only logged."""
        if self._database.is_sqlite:
            return
        self._control.elsewhere = self
        with self._database.notices.subscribed(ERRANDS) as woken:
            while not self._stopping.is_set():
                woken.clear()
                try:
                    for errand in await run_in_threadpool(self._take, self._control.connected()):
                        self._begin(self._do(errand))
                except SQLAlchemyError as error:
                    log.warning("errands of other processes cannot be read", reason=str(error)[:300])
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY_S):
                        await woken.wait()
        for task in self._working:
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)

    def stop(self) -> None:
        """Let :meth:`run` return."""
        self._stopping.set()
        self._database.notices.publish(ERRANDS)

    # what this process wants of others (the hub's ``Elsewhere``)

    async def ask(self, edge_id: str, message: BaseModel, answer_id: UUID, *, timeout_s: float) -> BaseModel:
        """The answer of an edge that is connected to another process.

        Raises:
            Conflict: it is connected to none, or does not answer in time.
        """
        answer: asyncio.Future[BaseModel] = asyncio.get_running_loop().create_future()
        self._waiting[answer_id] = answer
        body = json.dumps({"message": message.model_dump_json(), "timeout_s": timeout_s})
        try:
            if not await run_in_threadpool(self._send, ErrandKind.ASK, edge_id, answer_id, body):
                raise Conflict(f"The edge {edge_id} is not connected just now. Try again when it is.")
            async with asyncio.timeout(timeout_s + SPARE_S):
                return await answer
        except TimeoutError:
            raise Conflict(f"The edge {edge_id} did not answer in {timeout_s:.0f} s.") from None
        finally:
            del self._waiting[answer_id]

    async def tell(self, edge_id: str, message: BaseModel) -> bool:
        """Let another process send a message that has no answer; whether there is one to do so."""
        about = getattr(message, "push_id", None) or getattr(message, "view_id", None) or uuid4()
        return await run_in_threadpool(self._send, ErrandKind.TELL, edge_id, about, message.model_dump_json())

    async def ended(self, process: str, edge_id: str, view_id: UUID, reason: str) -> None:
        """Tell the process that asked for a view what the edge said of it."""
        await run_in_threadpool(self._send, ErrandKind.ENDED, edge_id, view_id, reason, process)

    async def gone(self, process: str, edge_id: str) -> None:
        """Tell a process that the edge has left this one."""
        await run_in_threadpool(self._send, ErrandKind.GONE, edge_id, uuid4(), "", process)

    def _send(
        self, kind: ErrandKind, edge_id: str, about: UUID, body: str, process: str | None = None
    ) -> bool:
        with self._database.write() as session:
            if process is None:
                # A connection that fell silent without an end is seen by the answer that does not come.
                state = session.get(EdgeStateRow, edge_id)
                if state is None or state.connection_id is None:
                    return False
            session.add(
                EdgeErrandRow(
                    kind=kind, edge_id=edge_id, about=about, sender=self._me, receiver=process, body=body,
                    at=self._clock.now(),
                )
            )  # fmt: skip
            announce(session, ERRANDS)
        return True

    # what others want of this process

    def _take(self, connected: Sequence[str]) -> list[_Errand]:
        mine = or_(
            EdgeErrandRow.receiver == self._me,
            EdgeErrandRow.receiver.is_(None) & EdgeErrandRow.edge_id.in_(connected),
        )
        old = EdgeErrandRow.at < self._clock.now() - FORGET_AFTER
        with self._database.read() as session:
            if not session.scalar(select(exists().where(or_(mine, old)))):
                return []
        with self._database.write() as session:
            session.execute(delete(EdgeErrandRow).where(old))
            rows = session.execute(
                delete(EdgeErrandRow)
                .where(mine)
                .returning(
                    EdgeErrandRow.id, EdgeErrandRow.kind, EdgeErrandRow.edge_id, EdgeErrandRow.about,
                    EdgeErrandRow.sender, EdgeErrandRow.body,
                )
            ).all()  # fmt: skip
        return [_Errand(*row[1:]) for row in sorted(rows, key=lambda row: row[0])]

    async def _do(self, errand: _Errand) -> None:
        if errand.kind is ErrandKind.ASK:
            await self._ask_for(errand)
        elif errand.kind is ErrandKind.TELL:
            await self._control.pass_on(
                errand.edge_id, errand.body, about=errand.about, process=errand.sender
            )
        elif errand.kind is ErrandKind.GONE:
            self._control.live_gone(errand.edge_id)
        elif errand.kind is ErrandKind.ENDED:
            self._control.live_ended(errand.edge_id, errand.about, errand.body)
        else:
            self._settle(errand)

    async def _ask_for(self, errand: _Errand) -> None:
        asked: dict[str, Any] = json.loads(errand.body)
        try:
            answer = await self._control.ask_here(
                errand.edge_id, asked["message"], errand.about, timeout_s=asked["timeout_s"],
                process=errand.sender,
            )  # fmt: skip
        except Conflict as error:
            kind, body = ErrandKind.FAILED, str(error)
        else:
            kind, body = ErrandKind.ANSWER, answer.model_dump_json()
        await run_in_threadpool(self._send, kind, errand.edge_id, errand.about, body, errand.sender)

    def _settle(self, errand: _Errand) -> None:
        future = self._waiting.get(errand.about)
        if future is None or future.done():
            return
        if errand.kind is ErrandKind.FAILED:
            future.set_exception(Conflict(errand.body))
            return
        try:
            future.set_result(from_edge.validate_json(errand.body))
        except ValidationError:  # the other process is of another version
            future.set_exception(Conflict("The edge's answer was not understood."))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._log_failures(work))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    @staticmethod
    async def _log_failures(work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except SQLAlchemyError as error:
            log.warning("an errand came to nothing", reason=str(error)[:300])
