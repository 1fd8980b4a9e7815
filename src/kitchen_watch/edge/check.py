"""`kitchen-watch check`: everything an edge needs, tried before it matters, each finding in words."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from kitchen_watch.clock import Clock, SystemClock
from kitchen_watch.edge.configuration import load_configuration
from kitchen_watch.edge.evidence.remote import open_remote
from kitchen_watch.edge.opening import open_judgement
from kitchen_watch.edge.ownership.leases import Leases
from kitchen_watch.edge.rules.judge import RuleBook
from kitchen_watch.edge.rules.rule_set import CameraRules, RuleSet
from kitchen_watch.edge.settings import CameraSettings, EdgeSettings
from kitchen_watch.edge.streams.probe import probe
from kitchen_watch.edge.streams.source import SourceSettings
from kitchen_watch.edge.turns.needs import needs_of, turn_lengths
from kitchen_watch.edge.turns.roster import too_many
from kitchen_watch.edge.turns.schedule import Waiting, next_turn
from kitchen_watch.errors import KitchenWatchError
from kitchen_watch.events import FIRST_LINK
from kitchen_watch.redact import redact
from kitchen_watch.signing import sign

GIGABYTE = 1_000_000_000
WORST_OFFSET = timedelta(seconds=30)
PROBES_AT_ONCE = 8
UPLOAD_STATE = f"/api/v1/edge/evidence/{FIRST_LINK}"
UNAUTHORISED = 401
PROBE_NAME = "check"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    ok: bool
    says: str


async def check_edge(config_path: Path, *, clock: Clock | None = None) -> list[Finding]:
    """Look at file, model, rules, disk, backend, clock and every camera; never raises for a finding."""
    clock = clock or SystemClock()
    try:
        settings = load_configuration(config_path).settings
    except KitchenWatchError as error:
        return [Finding("configuration", ok=False, says=str(error))]
    findings = [Finding("configuration", ok=True, says=f"{config_path} is valid")]
    judged, rule_set = await _check_judgement(settings)
    findings += judged
    if rule_set is not None:
        findings += [_check_rules(camera, settings, rule_set) for camera in settings.cameras]
        findings += _check_turns(settings, rule_set, clock.now())
    findings.append(_check_disk(settings))
    findings += await asyncio.to_thread(_check_cluster, settings)
    findings += await _check_backend(settings, clock)
    gate = asyncio.Semaphore(PROBES_AT_ONCE)
    findings += await asyncio.gather(
        *(
            _check_source(f"camera {camera.camera_id} {name} stream", source, gate)
            for camera in settings.cameras
            for name, source in (("main", camera.main), ("sub", camera.sub))
            if source is not None and camera.enabled
        )
    )
    return findings


async def _check_judgement(settings: EdgeSettings) -> tuple[list[Finding], RuleSet | None]:
    try:
        judgement = await asyncio.to_thread(
            open_judgement, model=settings.model, rules_file=settings.rules_file, changes=settings.rules,
            detector_settings=settings.detector, choices=settings.precision_file,
        )  # fmt: skip
    except KitchenWatchError as error:
        return [Finding("model and rules", ok=False, says=str(error))], None
    used = judgement.detector.model
    await judgement.detector.close()
    off = ", ".join(rule.code for rule in judgement.switched_off)
    says = f"{used.name} {used.version} ({used.precision}); rules switched off: {off or 'none'}"
    return [Finding("model and rules", ok=True, says=says)], judgement.rule_set


def _check_rules(camera: CameraSettings, settings: EdgeSettings, rule_set: RuleSet) -> Finding:
    what = f"camera {camera.camera_id} rules"
    hours = camera.opening_hours or settings.opening_hours
    try:
        own = rule_set.for_camera(
            CameraRules(rules=camera.rules, zones=camera.zones, hours=hours), where=what
        )
        RuleBook(camera.camera_id, own, zones=camera.zones, hours=hours)
    except KitchenWatchError as error:
        return Finding(what, ok=False, says=str(error))
    return Finding(what, ok=True, says=f"{len(camera.zones)} zones, {len(camera.privacy)} privacy areas")


def _check_turns(settings: EdgeSettings, rule_set: RuleSet, at: datetime) -> list[Finding]:
    """Whether cameras that take turns come round in the wished time, if all of them are there."""
    turns, cameras = settings.turns, [camera for camera in settings.cameras if camera.enabled]
    if turns.mode != "always" or turns.at_once is None or len(cameras) <= turns.at_once:
        return []
    needs = {}
    for camera in cameras:
        hours = camera.opening_hours or settings.opening_hours
        try:
            own = rule_set.for_camera(CameraRules(rules=camera.rules, zones=camera.zones, hours=hours))
        except KitchenWatchError:
            continue  # told already
        frozen_after_s = settings.health.frozen_after.total_seconds()
        needs[camera.camera_id] = needs_of(own, hours, frozen_after_s=frozen_after_s)
    lengths = turn_lengths(needs, turns.watch_s, at)
    line = [
        Waiting(camera.camera_id, 1.0, lengths[camera.camera_id], 0.0, always=camera.always_watched)
        for camera in cameras
        if camera.camera_id in lengths
    ]
    turn = next_turn(line, turns.at_once, wanted_s=turns.longest_revisit_s)
    if turn.longest_revisit_s > turns.longest_revisit_s:
        return [Finding("turns", ok=False, says=too_many(turn, turns))]
    taking = len(line) - len(turn.kept)
    longest = f"{turn.longest_revisit_s:.0f} s"
    says = f"{taking} cameras take turns; none goes without a look for longer than {longest}"
    return [Finding("turns", ok=True, says=says)]


def _check_disk(settings: EdgeSettings) -> Finding:
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        probe_file = settings.data_dir / ".check"
        probe_file.write_bytes(b"check")
        probe_file.unlink()
        free = shutil.disk_usage(settings.data_dir).free
    except OSError as error:
        says = (
            f"{settings.data_dir} cannot be written: {error.strerror}. Give the edge a directory of its own."
        )
        return Finding("disk", ok=False, says=says)
    enough = free >= settings.evidence.disk_warn_free_bytes
    says = f"{free / GIGABYTE:.1f} GB free in {settings.data_dir}"
    return Finding(
        "disk", ok=enough, says=says if enough else f"{says}: too little. Free space or use another disk."
    )


def _check_cluster(settings: EdgeSettings) -> list[Finding]:
    """The cluster's database and object store, where the edge uses them."""
    findings = []
    if settings.outbox.url is not None:
        try:
            owners = [one for one in Leases(settings.outbox.url).present() if one.edge_id == settings.edge_id]
            says = f"run by {owners[0].owner} at present" if owners else "reachable; nobody runs this edge"
            findings.append(Finding("outbox database", ok=True, says=says))
        except KitchenWatchError as error:
            findings.append(Finding("outbox database", ok=False, says=str(error)))
    if settings.evidence.store is not None:
        try:
            remote = open_remote(
                settings.evidence.store, settings.evidence.store_options, edge_id=settings.edge_id
            )
            with tempfile.NamedTemporaryFile() as probe_file:
                remote.put(PROBE_NAME, Path(probe_file.name))
            remote.remove(PROBE_NAME)
            findings.append(
                Finding("evidence store", ok=True, says=f"{settings.evidence.store} can be written")
            )
        except KitchenWatchError as error:
            findings.append(Finding("evidence store", ok=False, says=str(error)))
    return findings


async def _check_backend(settings: EdgeSettings, clock: Clock) -> list[Finding]:
    target = httpx.URL(settings.backend.url + UPLOAD_STATE)
    headers = sign(
        settings.backend.secret.get_secret_value(), edge_id=settings.edge_id, method="GET",
        target=target.raw_path.decode(), body=b"", at=clock.now(),
    )  # fmt: skip
    try:
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            answer = await client.get(target, headers=headers)
    except httpx.HTTPError as error:
        says = f"{settings.backend.url} does not answer ({redact(str(error))}). Check address and network."
        return [Finding("backend", ok=False, says=says)]
    findings = []
    server_time = answer.headers.get("kw-server-time")
    if server_time is not None:
        findings.append(_check_clock(datetime.fromisoformat(server_time) - clock.now()))
    if answer.status_code == UNAUTHORISED:
        says = "does not accept this edge's signature. Check edge_id and backend.secret, and the clock."
        return [Finding("backend", ok=False, says=f"{settings.backend.url} {says}"), *findings]
    return [Finding("backend", ok=True, says=f"{settings.backend.url} knows {settings.edge_id}"), *findings]


def _check_clock(offset: timedelta) -> Finding:
    seconds = offset.total_seconds()
    good = abs(offset) <= WORST_OFFSET
    says = f"{seconds:+.1f} s from the backend's clock"
    return Finding("clock", ok=good, says=says if good else f"{says}. Set up NTP on this machine.")


async def _check_source(what: str, source: SourceSettings, gate: asyncio.Semaphore) -> Finding:
    async with gate:
        try:
            seen = await asyncio.to_thread(probe, source)
        except KitchenWatchError as error:
            return Finding(what, ok=False, says=str(error))
    rate = f"{seen.rate:.0f}/s" if seen.rate else "unknown rate"
    return Finding(what, ok=True, says=f"{seen.codec} {seen.width}x{seen.height} at {rate}")
