"""The composition root of the edge: opens every part, hands each what it needs, and ends them in order."""

from __future__ import annotations

import asyncio
import base64
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from importlib import metadata
from zoneinfo import ZoneInfo

import structlog

from kitchen_watch.clock import Clock
from kitchen_watch.control import CameraCommand, ConfigurationOffer, Heartbeat, Hello
from kitchen_watch.edge.building import build_camera
from kitchen_watch.edge.cameras import Cameras, RunningCamera
from kitchen_watch.edge.configuration import OFFER_FILE, Configuration, ConfigurationSource, keep_offer
from kitchen_watch.edge.control_client import ControlClient
from kitchen_watch.edge.detect.detection import preferring
from kitchen_watch.edge.detect.scheduler import mean_work
from kitchen_watch.edge.evidence.holds import Holds
from kitchen_watch.edge.evidence.package import Packages
from kitchen_watch.edge.evidence.workshop import Workshop
from kitchen_watch.edge.holding import HoldDesk
from kitchen_watch.edge.opening import fit_rules, open_rules
from kitchen_watch.edge.outbox.delivery import Delivery
from kitchen_watch.edge.outbox.disk import DiskKeeper
from kitchen_watch.edge.outbox.figures import Figures
from kitchen_watch.edge.outbox.owned import open_owned
from kitchen_watch.edge.outbox.store import OutboxStore
from kitchen_watch.edge.ownership.leases import Lease
from kitchen_watch.edge.ownership.renewing import Renewal
from kitchen_watch.edge.pipeline import Seen
from kitchen_watch.edge.preparing import Prepared
from kitchen_watch.edge.recorder import Shared, settle_owed_clips
from kitchen_watch.edge.references import References
from kitchen_watch.edge.report import NodeReport, OutboxReport, not_ready
from kitchen_watch.edge.rules.rule_set import RuleSet
from kitchen_watch.edge.sealing import shortened
from kitchen_watch.edge.settings import CameraSettings
from kitchen_watch.edge.status_server import bind, serve_status
from kitchen_watch.edge.turns.roster import Roster
from kitchen_watch.errors import ConfigError, KitchenWatchError, LeaseLost, NotFound
from kitchen_watch.live.camera import LiveCamera
from kitchen_watch.live.desk import LiveDesk
from kitchen_watch.live.push import Pusher
from kitchen_watch.live.segments import SegmentStore

KEEP_REFERENCES = timedelta(seconds=30)
MOST_WARNINGS = 50
FIXED_WHILE_RUNNING = (
    "edge_id", "data_dir", "backend", "model", "status", "analysis", "evidence", "detector", "health", "live",
    "shadow", "outbox",
)  # fmt: skip

log = structlog.get_logger(__name__)


class EdgeNode:
    """One edge: its cameras, its outbox, its way to the backend. Build with :meth:`open`."""

    def __init__(
        self,
        prepared: Prepared,
        *,
        packages: Packages,
        store: OutboxStore,
        lease: Lease | None = None,
        renewal: Renewal | None = None,
    ) -> None:
        configuration, judgement, clock = prepared.configuration, prepared.judgement, prepared.clock
        self.settings = configuration.settings
        self._prepared = prepared
        self._configuration = configuration
        self._source = prepared.source
        self._clock = clock
        self._judgement = judgement
        self._packages = packages
        self._store = store
        self.lease = lease if renewal is None else renewal.lease
        """By which right this process runs the edge; ``None`` where no other can."""
        self._renewal = renewal
        token = None if self.lease is None else self.lease.token
        self._delivery = Delivery(
            store, edge_id=self.settings.edge_id, backend_url=self.settings.backend.url,
            secret=self.settings.backend.secret, clock=clock, fencing_token=token,
        )  # fmt: skip
        self._figures = Figures(store, self._delivery, renewal)
        pusher = Pusher(
            edge_id=self.settings.edge_id, backend_url=self.settings.backend.url,
            secret=self.settings.backend.secret, clock=clock,
            server_offset=lambda: self._delivery.server_offset, fencing_token=token,
        )  # fmt: skip
        self._live = LiveDesk(self._live_camera, pusher.push, networks=self.settings.live.viewer_networks)
        self._holds = Holds(self.settings.data_dir)
        self._control = ControlClient(
            self, edge_id=self.settings.edge_id, backend_url=self.settings.backend.url,
            secret=self.settings.backend.secret, clock=clock,
            on_server_time=self._delivery.learn_server_time,
            server_offset=lambda: self._delivery.server_offset, live=self._live,
        )  # fmt: skip
        self._control.fencing_token = token
        self._control.holds = HoldDesk(
            self._holds, store, recordings=self._recordings,
            server_offset=lambda: self._delivery.server_offset,
        )  # fmt: skip
        self._keeper = DiskKeeper(
            store, packages, warn_free_bytes=self.settings.evidence.disk_warn_free_bytes,
            floor_free_bytes=self.settings.evidence.disk_floor_free_bytes,
            keep=timedelta(days=self.settings.evidence.keep_days), clock=clock, holds=self._holds,
        )  # fmt: skip
        self._opened: Counter[str] = Counter()
        self._workshop = Workshop()
        self._shared = Shared(
            detector=judgement.detector, packages=packages, workshop=self._workshop,
            references=References(configuration.settings.data_dir), store=store,
            clock=clock, server_offset=lambda: self._delivery.server_offset, opened=self._opened,
            shadow=prepared.shadow, holds=self._holds,
        )  # fmt: skip
        self._started_at = clock.monotonic()
        self._applying = asyncio.Lock()
        self._let_go = False
        self._rule_set = judgement.rule_set
        self.listeners: list[Callable[[Seen], None]] = []
        """Told of every judged frame of all cameras that are built from now on; see the pipeline's."""
        self.cameras = Cameras(self._build_camera)
        self._roster = Roster(
            self.cameras, lambda: self.settings.turns, clock=clock, inference_s=self._inference_s,
            prefer=preferring(judgement.detector),
        )  # fmt: skip

    @classmethod
    async def open(cls, source: ConfigurationSource, *, clock: Clock) -> EdgeNode:
        """Open everything that can refuse, before the first camera is touched.

        Raises:
            ConfigError: the configuration is bad.
            DetectorError: the model cannot be used.
            EvidenceError: the data directory cannot be used.
            LeasesUnreachable: the cluster's database does not answer.
        """
        return await cls.take_over(await Prepared.open(source, clock=clock))

    @classmethod
    async def take_over(cls, prepared: Prepared, *, lease: Lease | None = None) -> EdgeNode:
        """Open the outbox of an edge that is prepared. From now on it is this process's alone.

        Where it lies in a cluster's database (``outbox.url``), ``lease`` is the right to it, which the
        caller renews and releases. Without one, the node waits for the edge's lease and keeps it itself.

        Raises:
            ConfigError: the outbox is another edge's.
            EvidenceError: the data directory or database cannot be used.
            LeaseLost: the edge has a newer owner than ``lease``.
            LeasesUnreachable: the cluster's database does not answer.
        """
        settings, clock = prepared.configuration.settings, prepared.clock
        packages = Packages(settings.data_dir, zone=ZoneInfo(settings.opening_hours.time_zone))
        store, renewal = await open_owned(packages, settings, clock, lease=lease)
        if settings.outbox.url is not None:  # what it accepted on another machine has come with its outbox
            prepared.configuration = await asyncio.to_thread(prepared.source.load)
        for problem in store.recovery.problems:
            log.warning("outbox recovered", problem=problem)
        return cls(prepared, packages=packages, store=store, lease=lease, renewal=renewal)

    async def run(self, stop: asyncio.Event, reload: asyncio.Event) -> None:
        """Watch until ``stop`` is set; read the configuration file again whenever ``reload`` is.

        Raises:
            LeaseLost: the edge has a newer owner; its analysis is ended, and nothing more is written.
        """
        try:
            await self._run(stop, reload)
        except* LeaseLost as group:
            lost = group.exceptions[0]
            log.error("the edge has a newer owner", reason=str(lost))
            raise lost from None

    async def _run(self, stop: asyncio.Event, reload: asyncio.Event) -> None:
        with bind(self.settings.status.host, self.settings.status.port) as listener:
            async with serve_status(self.report, listener) as port, asyncio.TaskGroup() as tasks:
                log.info("edge started", edge_id=self.settings.edge_id, status_port=port)
                await settle_owed_clips(self._store, model=self._judgement.detector.model, clock=self._clock)
                recovered = [entry.violation for entry in self._store.recovery.violations]
                await self.cameras.apply(self.settings.cameras, resume=recovered)
                await self._prepared.disconnect()
                background = [
                    tasks.create_task(work)
                    for work in (
                        self._delivery.run(), self._control.run(), self._keeper.run(), self._reloads(reload),
                        self._keep_references(), self._roster.run(),
                        *([] if self._renewal is None else [self._renewal.run()]),
                    )
                ]  # fmt: skip
                try:
                    await stop.wait()
                finally:  # also where one of them ends it all
                    log.info("edge stopping")
                    await self.cameras.end_analysis()
                    for task in background:
                        task.cancel()

    async def let_go(self) -> None:
        """Close the outbox: from now on another process may have it. Call after :meth:`run`."""
        if not self._let_go:
            self._let_go = True
            await self._store.close()
            if self._renewal is not None:
                await self._renewal.release()

    async def close(self) -> None:
        """Release everything: outbox, streams, model."""
        await self.let_go()
        await self._live.stop()
        await self.cameras.stop()
        await self._prepared.close()
        await self._workshop.close()

    # what the control connection asks (ControlledNode)

    def hello(self) -> Hello:
        """Who this edge is and what it runs."""
        return Hello(
            edge_id=self.settings.edge_id,
            software_version=metadata.version("kitchen-watch"),
            model_sha256=self._judgement.detector.model.sha256,
            configuration_version=self._configuration.version,
            cameras=tuple(camera.settings.camera_id for camera in self.cameras),
        )

    async def heartbeat(self) -> Heartbeat:
        """How this edge and its cameras are."""
        report = await self.report()
        return Heartbeat(
            sent_at=self._clock.now(),
            cameras=report.cameras,
            outbox_pending=report.outbox.pending,
            outbox_oldest_s=report.outbox.oldest_s,
            dead_letters=report.outbox.dead,
            disk_free_bytes=report.disk_free_bytes,
            warnings=report.warnings,
        )

    async def apply(self, offer: ConfigurationOffer) -> None:
        """Put an offered configuration in force and keep it on disk.

        Raises:
            KitchenWatchError: why it is refused; everything goes on as it was.
        """
        async with self._applying:
            configuration = self._source.with_offer(offer)
            await self._put_in_force(configuration)
            keep_offer(configuration)
            await self._store.carry(OFFER_FILE)

    async def command(self, command: CameraCommand) -> str | None:
        """Carry out one command of a person at the backend.

        Raises:
            KitchenWatchError: why it cannot be done.
        """
        camera = self.cameras.find(command.camera_id)
        if camera is None:
            raise NotFound(f"This edge has no running camera {command.camera_id}.")
        if command.action == "reconnect":
            camera.reconnect()
            return None
        if camera.pipeline.resting:
            # Its last picture is as old as its last turn.
            raise NotFound(
                f"Camera {command.camera_id} waits for its turn: nobody looks at it at present. Watch it"
                " live, or try again."
            )
        seen = camera.pipeline.last
        if seen is None:
            raise NotFound(f"Camera {command.camera_id} has given no picture yet.")
        if command.action == "reference":
            camera.pipeline.analysis.health.set_reference(seen.frame.image)
            return None
        jpeg = await camera.recorder.live_snapshot(seen.frame)
        return base64.b64encode(jpeg).decode()

    def _live_camera(self, camera_id: str) -> LiveCamera | None:
        camera = self.cameras.find(camera_id)
        return camera.live if camera is not None else None

    def _recordings(self) -> list[SegmentStore]:
        """The recordings of all cameras."""
        kept = [camera.live.recording for camera in self.cameras]
        return [recording.store for recording in kept if recording is not None]

    # what the status server asks

    async def report(self) -> NodeReport:
        """Everything in numbers, now."""
        counts, oldest = await self._figures.read()
        cameras = tuple(camera.status() for camera in self.cameras)
        reasons = not_ready(cameras, timedelta(seconds=self._clock.monotonic() - self._started_at))
        return NodeReport(
            edge_id=self.settings.edge_id,
            ready=not reasons,
            reasons=reasons,
            warnings=self._warnings(),
            cameras=cameras,
            outbox=OutboxReport(
                pending=counts.pending, delivered=counts.delivered, dead=counts.dead,
                uploads_pending=counts.uploads_pending,
                oldest_s=None if oldest is None else oldest.total_seconds(),
            ),
            violations=dict(self._opened),
            connected=self._control.connected,
            frames_superseded=sum(camera.pipeline.superseded for camera in self.cameras),
            inference_ms=None if (mean := self._inference_s()) is None else 1000 * mean,
            analysis_failures=sum(camera.pipeline.failures for camera in self.cameras),
            disk_free_bytes=self._packages.free_bytes(),
            reconnects={camera.settings.camera_id: camera.reconnects for camera in self.cameras},
        )  # fmt: skip

    def _inference_s(self) -> float | None:
        return mean_work(self._judgement.detector.statistics().values())

    def _warnings(self) -> tuple[str, ...]:
        """What a person should know although everything runs."""
        waiting = sum(len(camera.recorder.waiting) for camera in self.cameras)
        warnings = [*self._figures.warnings(waiting), *self._keeper.warnings, *self._roster.warnings()]
        return tuple(str(shortened(warning)) for warning in warnings[:MOST_WARNINGS])

    async def _keep_references(self) -> None:
        while True:
            await self._clock.sleep(KEEP_REFERENCES)
            for camera in self.cameras:
                view = camera.pipeline.analysis.health.reference()
                await asyncio.to_thread(self._shared.references.keep, camera.settings.camera_id, view)

    # how configurations come into force

    async def _reloads(self, reload: asyncio.Event) -> None:
        while True:
            await reload.wait()
            reload.clear()
            try:
                await self.reload()
            except KitchenWatchError as error:
                log.error("configuration refused; the old one stays in force", reason=str(error))
            else:
                log.info("configuration reloaded")

    async def reload(self, *, only_check: bool = False) -> bool:
        """Read the configuration again and put it in force, or see whether that could be done; whether it
        is another one. Cameras that are as they were go on untouched.

        Raises:
            KitchenWatchError: why it is refused; everything goes on as it was.
        """
        async with self._applying:
            configuration = await asyncio.to_thread(self._source.load)
            differs = configuration.settings != self.settings
            if only_check:
                self._rules_of(configuration)
            else:
                await self._put_in_force(configuration)
            return differs

    def _rules_of(self, configuration: Configuration) -> RuleSet:
        """The rules by which it judges; what only a restart can change is refused."""
        new, old = configuration.settings, self.settings
        for key in FIXED_WHILE_RUNNING:
            if getattr(new, key) != getattr(old, key):
                raise ConfigError(
                    f"{key}: cannot be changed while the edge runs. Restart it to change {key}."
                )
        rule_set = open_rules(new.rules_file, changes=new.rules)
        return fit_rules(rule_set, self._judgement.detector.labels)[0]

    async def _put_in_force(self, configuration: Configuration) -> None:
        """Validate for every camera, then apply."""
        new, old = configuration.settings, self.settings
        rule_set = self._rules_of(configuration)
        judged_anew = rule_set != self._rule_set or new.opening_hours != old.opening_hours
        before = (self.settings, self._rule_set)
        self.settings, self._rule_set = new, rule_set
        try:
            await self.cameras.apply(new.cameras, renew_all=judged_anew)
        except KitchenWatchError:
            self.settings, self._rule_set = before
            raise
        self._configuration = configuration

    def _build_camera(self, camera: CameraSettings) -> RunningCamera:
        streams = self._prepared.take(camera, self.settings)
        built = build_camera(streams, settings=self.settings, rule_set=self._rule_set, shared=self._shared)
        built.pipeline.listeners.extend(self.listeners)
        return built
