"""Hosts one group: the same edge as ``kitchen-watch edge``, from the moment the group's lease is ours."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog

from kitchen_watch.clock import Clock
from kitchen_watch.cluster.configuration import ClusterFile
from kitchen_watch.cluster.cost import CpuMeter
from kitchen_watch.cluster.report import CameraReport, HandedOver, HostReport, HostState, Reloaded
from kitchen_watch.control import CameraStatus, ConfigurationOffer
from kitchen_watch.edge.configuration import Configuration
from kitchen_watch.edge.node import EdgeNode
from kitchen_watch.edge.ownership.leases import Lease, Leases
from kitchen_watch.edge.ownership.renewing import Renewal
from kitchen_watch.edge.pipeline import Seen
from kitchen_watch.edge.preparing import Prepared
from kitchen_watch.errors import ConfigError, KitchenWatchError, LeaseHeld, LeaseLost

ASK_AGAIN = timedelta(seconds=0.2)
"""Between two attempts to get a lease that another holds."""
PICTURE_PATIENCE = timedelta(seconds=10)
"""A camera that has given no picture by then keeps nobody waiting."""
TRY_AGAIN = timedelta(seconds=5)
LOST_EXIT = 75

log = structlog.get_logger(__name__)


def exit_at_once(why: str) -> None:
    """End this process without another step: whatever it would still do is no longer its to do."""
    log.error("group lost; this host ends at once", reason=why)
    os._exit(LOST_EXIT)


class GroupSource:
    """A group's part of the cluster's file, as an edge reads its configuration."""

    def __init__(self, file: ClusterFile, edge_id: str) -> None:
        self._file = file
        self._edge_id = edge_id
        self._is_fresh = True

    def check_seal(self, seal: str) -> None:
        """Whether this machine has the file that is meant; see :meth:`ClusterFile.seal`.

        Raises:
            ConfigError: it has another one, or a bad one.
        """
        if ClusterFile(self._file.path).seal(self._edge_id) != seal:
            raise ConfigError(
                f"{self._file.path} is not the same as on the first machine. Give all machines the same file"
                " and the same secrets."
            )

    @contextmanager
    def reading_anew(self, *, only_check: bool) -> Iterator[None]:
        """While an edge reloads. What was only checked or is refused is not in force: later offers are still
        merged with the file from before."""
        before, in_force = self._file, False
        try:
            yield
            in_force = not only_check
        finally:
            if not in_force:
                self._file = before

    def load(self) -> Configuration:
        """What this machine's file says now."""
        if not self._is_fresh:
            self._file = ClusterFile(self._file.path)
        self._is_fresh = False
        return self._file.group(self._edge_id)

    def with_offer(self, offer: ConfigurationOffer) -> Configuration:
        """See :class:`kitchen_watch.edge.configuration.ConfigurationSource`."""
        return self._file.with_offer(self._edge_id, offer.version, offer.cameras)


class GroupHost:
    """One group on one node. ``run`` for ever; the rest may be called meanwhile, from the same loop."""

    def __init__(
        self,
        file: ClusterFile,
        edge_id: str,
        *,
        node_id: str,
        node_name: str,
        clock: Clock,
        lost: Callable[[str], None] = exit_at_once,
    ) -> None:
        self.edge_id = edge_id
        self._source = GroupSource(file, edge_id)
        self._node_id = node_id
        self._node_name = node_name
        self._owner = f"{node_name}, process {os.getpid()}"
        self._leases = Leases(file.settings.database)
        self._term = file.lease
        self._clock = clock
        self._lost = lost
        self._state = HostState.PREPARING
        self._meter = CpuMeter(clock)
        self._stop = asyncio.Event()
        self._reload = asyncio.Event()
        self._let_go = asyncio.Event()
        self._warm = False
        self._renewal: Renewal | None = None
        self._since: datetime | None = None
        self._node: EdgeNode | None = None
        self._seen: dict[str, tuple[datetime, datetime]] = {}
        self._trouble: str | None = None

    async def run(self) -> None:
        """Prepare, wait for the lease, serve; after a fault again, until the group is handed over."""
        while not self._stop.is_set():
            try:
                await self._serve()
            except KitchenWatchError as error:
                self._trouble = str(error)
                log.error("group cannot be served; trying again", edge_id=self.edge_id, reason=str(error))
                await self._clock.sleep(TRY_AGAIN)
        self._state = HostState.GONE

    async def hand_over(self) -> HandedOver:
        """End the analysis and give the lease back; returns when another may have it."""
        log.info("group is handed over", edge_id=self.edge_id)
        self._stop.set()
        if self._renewal is not None:
            await self._let_go.wait()
        return HandedOver(self.edge_id, {camera_id: last for camera_id, (_, last) in self._seen.items()})

    async def reload(self, seal: str, *, only_check: bool) -> Reloaded:
        """Take over what the file says of the group now, or say whether that could be done. A host that does
        not serve yet takes it over when it begins."""
        differs = False
        try:
            await asyncio.to_thread(self._source.check_seal, seal)
            if self._node is not None and self._state is HostState.SERVING:
                with self._source.reading_anew(only_check=only_check):
                    differs = await self._node.reload(only_check=only_check)
            elif not only_check:
                self._reload.set()
        except KitchenWatchError as error:
            return Reloaded(self.edge_id, refused=f"{self._node_name}: {error}")
        return Reloaded(self.edge_id, differs=differs)

    async def report(self) -> HostReport:
        """How it is now."""
        cameras: tuple[CameraReport, ...] = ()
        troubles = [] if self._trouble is None else [self._trouble]
        pending = 0
        if self._node is not None and self._state is HostState.SERVING:
            edge = await self._node.report()
            cameras = tuple(self._camera(status) for status in edge.cameras)
            pending = edge.outbox.pending
            troubles += edge.warnings
            if not edge.connected:
                troubles.append("It has no connection to the backend.")
        if self._renewal is not None and self._renewal.trouble is not None:
            troubles.append(f"The lease cannot be renewed at present: {self._renewal.trouble}")
        return HostReport(
            edge_id=self.edge_id,
            state=self._state,
            node_id=self._node_id,
            pid=os.getpid(),
            token=None if self._renewal is None else self._renewal.lease.token,
            since=self._since,
            warm=self._warm,
            cores=self._meter.read(),
            cameras=cameras,
            outbox_pending=pending,
            troubles=tuple(troubles),
        )

    async def _serve(self) -> None:
        self._state, self._warm = HostState.PREPARING, False
        prepared = await Prepared.open(self._source, clock=self._clock, connect=True)
        node: EdgeNode | None = None
        try:
            warming = asyncio.create_task(self._warm_up(prepared))
            self._state = HostState.WAITING
            try:
                lease = await self._get_lease()
            finally:
                warming.cancel()
                await asyncio.wait({warming})
            if lease is None:
                return
            self._renewal = Renewal(self._leases, lease, clock=self._clock, term=self._term)
            renewing = asyncio.create_task(self._renew(self._renewal))
            try:
                self._since = self._clock.now()
                node = await EdgeNode.take_over(prepared, lease=lease)
                node.listeners.append(self._saw)
                self._node, self._state, self._trouble = node, HostState.SERVING, None
                log.info("group is served", edge_id=self.edge_id, token=lease.token)
                await node.run(self._stop, self._reload)
                await node.let_go()
            except LeaseLost as error:
                self._lost(str(error))
            finally:
                renewing.cancel()
                await asyncio.wait({renewing})
                await self._renewal.release()
                self._renewal = None
                self._state = HostState.GONE if self._stop.is_set() else HostState.PREPARING
                self._let_go.set()
        finally:
            self._node = None
            await (prepared.close() if node is None else node.close())

    async def _warm_up(self, prepared: Prepared) -> None:
        """Warm is who could begin now; cameras without a picture keep nobody waiting for long."""
        try:
            async with asyncio.timeout(PICTURE_PATIENCE.total_seconds()):
                await prepared.warm_up()
        except TimeoutError:
            log.info("a camera gives no picture yet", edge_id=self.edge_id)
        except ExceptionGroup as errors:
            self._trouble = f"The model cannot look at the pictures: {errors.exceptions[0]}"
            return
        self._warm = True

    async def _get_lease(self) -> Lease | None:
        """The lease, as soon as it is free; ``None`` if the host is told to end before."""
        while not self._stop.is_set():
            try:
                return await asyncio.to_thread(
                    self._leases.acquire, self.edge_id, self._owner, term=self._term
                )
            except LeaseHeld:
                await self._clock.sleep(ASK_AGAIN)
        return None

    async def _renew(self, renewal: Renewal) -> None:
        """Also while the edge is busy opening or ending; a newer owner ends this process at once."""
        try:
            await renewal.run()
        except LeaseLost as error:
            self._lost(str(error))

    def _saw(self, seen: Seen) -> None:
        now, camera_id = self._clock.now(), seen.frame.stream_id
        first, _ = self._seen.get(camera_id, (now, now))
        self._seen[camera_id] = (first, now)

    def _camera(self, status: CameraStatus) -> CameraReport:
        first, last = self._seen.get(status.camera_id, (None, None))
        return CameraReport(
            status.camera_id, status.state.value, status.reason,
            frames_analysed=status.frames_analysed + status.frames_still, first_at=first, last_at=last,
        )  # fmt: skip
