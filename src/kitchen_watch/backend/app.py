"""The composition root of the backend: makes the parts, mounts the rooms, runs what runs beside requests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from functools import partial
from importlib import metadata
from typing import Protocol

from fastapi import FastAPI

from kitchen_watch.backend import listening, probes
from kitchen_watch.backend.address_limit import ASKED_A_MINUTE, SharedAddressLimit
from kitchen_watch.backend.alerts import routes as alert_routes
from kitchen_watch.backend.alerts.hub import FeedHub
from kitchen_watch.backend.archive import routes as archive_routes
from kitchen_watch.backend.audit import routes as audit_routes
from kitchen_watch.backend.auth import routes as session_routes
from kitchen_watch.backend.auth.service import Login
from kitchen_watch.backend.auth.vault import Vault
from kitchen_watch.backend.complaints import routes as complaint_routes
from kitchen_watch.backend.complaints.timer import ComplaintTimer
from kitchen_watch.backend.database import Database
from kitchen_watch.backend.deadlines.clocks import MomentKind
from kitchen_watch.backend.deadlines.timer import DeadlineTimer
from kitchen_watch.backend.description import install_description
from kitchen_watch.backend.edges import routes as edge_routes
from kitchen_watch.backend.edges.control import ControlHub
from kitchen_watch.backend.edges.errands import Errands
from kitchen_watch.backend.evidence import routes as evidence_routes
from kitchen_watch.backend.evidence.links import MediaLinks
from kitchen_watch.backend.evidence.store import EvidenceStore
from kitchen_watch.backend.evidence.upload import Uploads
from kitchen_watch.backend.feedback import routes as feedback_routes
from kitchen_watch.backend.forms import routes as form_routes
from kitchen_watch.backend.forms.starters import load_starters
from kitchen_watch.backend.handling import photos
from kitchen_watch.backend.handling import routes as handling_routes
from kitchen_watch.backend.headers import AnswerHeaders
from kitchen_watch.backend.holds import routes as hold_routes
from kitchen_watch.backend.holds.telling_edges import HoldsTeller
from kitchen_watch.backend.ingest import routes as ingest_routes
from kitchen_watch.backend.letters import routes as letter_routes
from kitchen_watch.backend.letters.issuing import LettersOfNotices
from kitchen_watch.backend.live import recording_routes, snapshot_routes, socket_routes
from kitchen_watch.backend.live import routes as live_routes
from kitchen_watch.backend.live.hub import LiveHub
from kitchen_watch.backend.metrics import Metrics
from kitchen_watch.backend.migrations.apply import upgrade
from kitchen_watch.backend.notifications import routes as notification_routes
from kitchen_watch.backend.notifications.channels import couriers_of, teller_of
from kitchen_watch.backend.notifications.making import Notifications
from kitchen_watch.backend.notifications.outside import Outside
from kitchen_watch.backend.organisations import administration_routes, import_routes
from kitchen_watch.backend.organisations import routes as organisation_routes
from kitchen_watch.backend.pages.installing import install_pages
from kitchen_watch.backend.pages.notification_words import words_for
from kitchen_watch.backend.parts import Parts
from kitchen_watch.backend.patrols import routes as patrol_routes
from kitchen_watch.backend.patrols import sweep_routes
from kitchen_watch.backend.patrols.warning import SweepWarnings
from kitchen_watch.backend.presence import routes as presence_routes
from kitchen_watch.backend.presence.counting import PresenceTimer
from kitchen_watch.backend.problems import install_problems
from kitchen_watch.backend.public import routes as public_routes
from kitchen_watch.backend.public.pictures import PublicPictures
from kitchen_watch.backend.ratings import routes as rating_routes
from kitchen_watch.backend.ratings.timer import RatingTimer
from kitchen_watch.backend.reports import routes as report_routes
from kitchen_watch.backend.reports.timer import ReportTimer
from kitchen_watch.backend.retention import routes as retention_routes
from kitchen_watch.backend.retention.running import Retention
from kitchen_watch.backend.retention.settings import RetentionSettings
from kitchen_watch.backend.retention.sweeping import PathOf, Sweep
from kitchen_watch.backend.retention.tables import DeletedKind
from kitchen_watch.backend.rule_sets import routes as rule_set_routes
from kitchen_watch.backend.rule_sets.publishing import Publisher
from kitchen_watch.backend.secret_key import load_secret_key
from kitchen_watch.backend.self_checks import routes as self_check_routes
from kitchen_watch.backend.self_checks.timer import SelfCheckTimer
from kitchen_watch.backend.settings import BackendSettings
from kitchen_watch.backend.statistics import routes as statistics_routes
from kitchen_watch.backend.statistics.timer import MonthsTimer
from kitchen_watch.backend.tasks import attachments
from kitchen_watch.backend.tasks import routes as task_routes
from kitchen_watch.backend.tasks.timer import TaskTimer
from kitchen_watch.backend.webhooks import routes as webhook_routes
from kitchen_watch.backend.webhooks.messages import AlertMessages
from kitchen_watch.backend.webhooks.relay import Relay
from kitchen_watch.backend.webhooks.sending import Sender
from kitchen_watch.clock import Clock, SystemClock

ROUTERS = (
    session_routes.router,
    alert_routes.router,
    handling_routes.router,
    organisation_routes.router,
    administration_routes.router,
    import_routes.router,
    rule_set_routes.router,
    edge_routes.router,
    audit_routes.router,
    ingest_routes.router,
    evidence_routes.router,
    feedback_routes.router,
    live_routes.router,
    recording_routes.router,
    socket_routes.router,
    snapshot_routes.router,
    public_routes.router,
    webhook_routes.router,
    letter_routes.router,
    statistics_routes.router,
    presence_routes.router,
    report_routes.router,
    notification_routes.router,
    hold_routes.router,
    complaint_routes.router,
    task_routes.router,
    retention_routes.router,
    form_routes.router,
    rating_routes.router,
    sweep_routes.router,
    patrol_routes.router,
    self_check_routes.router,
    archive_routes.router,
)


def create_app(settings: BackendSettings, *, clock: Clock | None = None) -> FastAPI:
    """The service over one database, brought to the present schema.

    Raises:
        ConfigError: the database, the data directory or the secret key cannot be used.
    """
    parts = make_parts(settings, clock or SystemClock())
    upgrade(parts.database)
    load_starters(parts.database, now=parts.clock.now())
    app = FastAPI(
        title="kitchen_watch",
        version=metadata.version("kitchen-watch"),
        summary="Bright-kitchen supervision: alerts, evidence and who may see them.",
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.parts = parts
    install_problems(app)
    app.include_router(probes.router)
    for router in ROUTERS:
        app.include_router(router)
    install_description(app)
    install_pages(app)
    app.add_middleware(AnswerHeaders, clock=parts.clock, metrics=parts.metrics, https=settings.https)
    return app


def make_parts(settings: BackendSettings, clock: Clock) -> Parts:
    """Everything the service is made of, without touching the database yet."""
    secret_key = load_secret_key(settings)
    database = Database(settings.database, time_zone=settings.time_zone)
    login = Login(database, settings, clock)
    metrics = Metrics()
    store = EvidenceStore(settings.evidence_dir)
    control = ControlHub(database, clock, timeout_s=settings.command_timeout_s, metrics=metrics)
    live = LiveHub(
        database,
        clock,
        control=control,
        times=login.times,
        settings=settings.live,
        process_number=settings.own_number,
    )
    return Parts(
        settings=settings,
        clock=clock,
        database=database,
        login=login,
        vault=Vault(secret_key),
        links=MediaLinks(secret_key, clock, settings.media_link_lifetime),
        evidence=store,
        uploads=Uploads(database, store, clock, max_bytes=settings.max_evidence_bytes),
        feed=FeedHub(database, clock, poll_s=settings.feed_poll_s, times=login.times, metrics=metrics),
        control=control,
        live=live,
        metrics=metrics,
        public_limit=SharedAddressLimit(
            database,
            clock,
            settings.public.requests_per_minute,
            what="requests",
            at_a_time=max(1, settings.public.requests_per_minute // ASKED_A_MINUTE),
        ),
        public_pictures=PublicPictures(live.pushes, clock),
    )


def make_relay(parts: Parts) -> Relay:
    """What turns entries of the feed into messages."""
    settings = parts.settings
    automatic = frozenset(MomentKind(kind) for kind in settings.letters.automatic)
    followers = (
        LettersOfNotices(automatic, settings.deadlines.level_up_every),
        AlertMessages(settings.public_url),
        Notifications(Outside(settings.notifications, words_for), settings.public_url),
    )
    return Relay(parts.database, parts.clock, followers, look_every_s=settings.outgoing.look_every_s)


def make_sender(parts: Parts) -> Sender:
    """What hands messages over, by their channels."""
    couriers = couriers_of(parts.settings)
    return Sender(parts.database, parts.clock, couriers, vault=parts.vault, settings=parts.settings.outgoing)


def make_retention(
    parts: Parts, *, policy: RetentionSettings | None = None, free: Callable[[], int] | None = None
) -> Retention:
    """What deletes by policy; ``free`` tells how many bytes the disk has left."""
    settings = parts.settings
    homes: dict[DeletedKind, PathOf] = {
        DeletedKind.EVIDENCE: parts.evidence.path,
        DeletedKind.PHOTO: partial(photos.path_of, settings.photos_dir),
        DeletedKind.TASK_FILE: partial(attachments.path_of, settings.attachments_dir),
        DeletedKind.CHECK_PHOTO: partial(photos.path_of, settings.self_check_photos_dir),
        DeletedKind.PATROL_PICTURE: partial(photos.path_of, settings.patrol_pictures_dir),
        DeletedKind.FINDING_PHOTO: partial(photos.path_of, settings.patrol_pictures_dir),
    }
    return Retention(
        parts.database,
        parts.clock,
        policy or settings.retention,
        sweep=Sweep(parts.database, parts.clock, homes, teller_of(settings)),
        teller=teller_of(settings),
        free=free or parts.evidence.free_bytes,
    )


class _Loop(Protocol):
    """What runs beside requests until it is told to stop."""

    async def run(self) -> None: ...

    def stop(self) -> None: ...


@contextlib.asynccontextmanager
async def _running(*loops: _Loop) -> AsyncIterator[None]:
    """Run them while the block lasts, and let each end what it is at."""
    tasks = [asyncio.create_task(loop.run()) for loop in loops]
    try:
        yield
    finally:
        for loop in loops:
            loop.stop()
        await asyncio.gather(*tasks)


def make_loops(parts: Parts) -> tuple[_Loop, ...]:
    """What looks now and then whether something is due."""
    database, clock, settings = parts.database, parts.clock, parts.settings
    teller = teller_of(settings)
    return (
        ComplaintTimer(database, clock, complaint_routes.rules_of(parts)).looking(),
        TaskTimer(database, clock, settings.tasks, teller=teller).looking(),
        make_retention(parts),
        Publisher(database, clock, parts.control),
        Errands(database, clock, parts.control),
        ReportTimer(database, clock, settings.reports, teller=teller, patrols=settings.patrols),
        RatingTimer(database, clock, settings.ratings).looking(),
        MonthsTimer(database, clock).looking(),
        PresenceTimer(database, clock).looking(),
        SweepWarnings(database, clock, settings.patrols),
        SelfCheckTimer(database, clock, settings.self_checks, teller=teller).looking(),
    )


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    parts: Parts = app.state.parts
    feed = asyncio.create_task(parts.feed.run())
    others = asyncio.create_task(listening.Listener(parts.database).run())
    live = asyncio.create_task(parts.live.run())
    timer = DeadlineTimer(
        parts.database,
        parts.clock,
        parts.settings.deadlines,
        look_every_s=parts.settings.deadline_look_s,
    )
    deadlines = asyncio.create_task(timer.run())
    relay, sender = make_relay(parts), make_sender(parts)
    runs = (relay.run, sender.run) if parts.settings.outgoing.send_here else ()
    outgoing = [asyncio.create_task(run()) for run in runs]
    holds = HoldsTeller(parts.database, parts.clock, parts.control)
    parts.control.holds = holds
    try:
        async with _running(holds, *make_loops(parts)):
            yield
    finally:
        await listening.end(others)
        parts.feed.stop()
        await feed
        await parts.public_pictures.close()
        parts.live.stop()
        await live
        timer.stop()
        await deadlines
        relay.stop()
        sender.stop()
        await asyncio.gather(*outgoing)
        await parts.control.close()
        parts.database.close()
