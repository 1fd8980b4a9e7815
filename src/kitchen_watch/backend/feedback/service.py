"""Collect the judged boxes of a scope and write them as one group of a YOLO data set."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.lifecycle import Step
from kitchen_watch.backend.alerts.states import AlertState
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.database import Database
from kitchen_watch.backend.evidence.store import EvidenceStore
from kitchen_watch.backend.evidence.tables import EvidenceFileRow, ManifestRow
from kitchen_watch.backend.feedback.lessons import ACCUSED, LABELS, OPPOSITE, Lesson, lesson
from kitchen_watch.backend.feedback.pictures import Box, cut
from kitchen_watch.backend.handling.tables import TransitionRow
from kitchen_watch.backend.organisations.scope import Scope
from kitchen_watch.errors import ConfigError, EvidenceMissing
from kitchen_watch.events import EvidenceKind

GROUP = "train/feedback"
DECIDED = tuple(
    state for state in AlertState if state not in (AlertState.PENDING_VERIFICATION, AlertState.APPEALED)
)
_AT_ONCE = 200


@dataclass
class Exported:
    """What an export holds, and why decisions are missing from it."""

    pictures: int = 0
    by_label: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    without_picture: dict[int, str] = field(default_factory=dict)
    """Decisions by alert that stand, but whose snapshot is not here (yet, or no longer)."""


@dataclass(frozen=True, slots=True)
class _Judged:
    alert: AlertRow
    reason: str | None
    sha256: str
    detections: list[dict[str, Any]]


def export(
    database: Database,
    store: EvidenceStore,
    scope: Scope,
    target: IO[bytes],
    *,
    by: Actor,
    now: datetime,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Exported:
    """Write the data set of a scope (see :func:`write_dataset`), and into the audit log that it was taken."""
    with database.read() as session:
        made = write_dataset(session, store, scope, target, since=since, until=until)
    with database.write() as session:
        record(session, by, "dataset_exported", at=now, about=("dataset", "feedback"), pictures=made.pictures)
    target.seek(0)
    return made


def write_dataset(
    session: Session,
    store: EvidenceStore,
    scope: Scope,
    target: IO[bytes],
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Exported:
    """Write a ZIP with ``train/feedback``: a picture, its label file and its known classes per decision.

    ``since`` and ``until`` bound the time at which the alerts were found.
    """
    exported = Exported()
    entries: list[dict[str, Any]] = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for judged in _judged(session, scope, since, until, exported):
            taught = lesson(judged.alert.code, judged.alert.state, judged.reason)
            if taught is None:
                exported.left_out["the decision does not settle what is in the box"] += 1
                continue
            entry = _write(archive, store, judged, taught, exported)
            if entry is not None:
                entries.append(entry)
        about = {
            "labels": LABELS,
            "since": since.isoformat() if since is not None else None,
            "until": until.isoformat() if until is not None else None,
            "pictures": entries,
            "left_out": dict(exported.left_out),
            "without_picture": exported.without_picture,
        }
        archive.writestr(f"{GROUP}/manifest.json", json.dumps(about, ensure_ascii=False, indent=1))
    return exported


def _judged(
    session: Session, scope: Scope, since: datetime | None, until: datetime | None, exported: Exported
) -> Iterator[_Judged]:
    after = 0
    while True:
        question = (
            select(AlertRow)
            .where(
                AlertRow.id > after,
                AlertRow.state.in_(DECIDED),
                AlertRow.code.in_(ACCUSED),
                scope.owned(AlertRow.premises_id),
            )
            .order_by(AlertRow.id)
            .limit(_AT_ONCE)
        )
        if since is not None:
            question = question.where(AlertRow.found_at >= since)
        if until is not None:
            question = question.where(AlertRow.found_at < until)
        alerts = session.scalars(question).all()
        if not alerts:
            return
        after = alerts[-1].id
        ids = [alert.id for alert in alerts]
        reasons = _reasons(session, ids)
        snapshots = _snapshots(session, ids)
        for alert in alerts:
            found = snapshots.get(alert.id)
            if found is None:
                exported.left_out["there is no clean snapshot (yet)"] += 1
                exported.without_picture[alert.id] = alert.state.value
                continue
            yield _Judged(alert, reasons.get(alert.id), *found)


def _reasons(session: Session, alert_ids: list[int]) -> dict[int, str | None]:
    """Why each alert was called false, the last word counting."""
    rows = session.execute(
        select(TransitionRow.alert_id, TransitionRow.reason)
        .where(
            TransitionRow.alert_id.in_(alert_ids),
            TransitionRow.step.in_((Step.REJECT, Step.UPHOLD_APPEAL)),
        )
        .order_by(TransitionRow.version)
    )
    return {row.alert_id: row.reason for row in rows}


def _snapshots(session: Session, alert_ids: list[int]) -> dict[int, tuple[str, list[dict[str, Any]]]]:
    """The newest complete clean snapshot of each alert and what was found in it."""
    rows = session.execute(
        select(EvidenceFileRow.alert_id, EvidenceFileRow.sha256, ManifestRow.body)
        .join(ManifestRow, ManifestRow.manifest_id == EvidenceFileRow.manifest_id)
        .where(
            EvidenceFileRow.alert_id.in_(alert_ids),
            EvidenceFileRow.kind == EvidenceKind.CLEAN,
            EvidenceFileRow.completed_at.is_not(None),
        )
        .order_by(ManifestRow.chain_index)
    )
    return {alert_id: (sha256, body.get("detections", [])) for alert_id, sha256, body in rows}


def _write(
    archive: zipfile.ZipFile, store: EvidenceStore, judged: _Judged, taught: Lesson, exported: Exported
) -> dict[str, Any] | None:
    """Add one picture; ``None`` (and the reason counted) where it is not clear which box was judged."""
    accused = ACCUSED[judged.alert.code]
    boxes = [_box(one) for one in judged.detections if one["label"] == accused]
    if len(boxes) != 1:
        several = "several boxes could be the judged one" if boxes else "the snapshot shows no such box"
        exported.left_out[several] += 1
        return None
    kin = {accused, OPPOSITE.get(accused, accused)}
    kindred = (_box(one) for one in judged.detections if one["label"] in kin)
    others = [box for box in kindred if box != boxes[0]]
    try:
        content, box = cut(store.path(judged.sha256).read_bytes(), boxes[0], others)
    except (OSError, EvidenceMissing):
        exported.left_out["the snapshot cannot be read"] += 1
        exported.without_picture[judged.alert.id] = judged.alert.state.value
        return None
    # A camera is a site; its name would tell a restaurant.
    site = hashlib.sha256(judged.alert.camera_id.encode()).hexdigest()[:8]
    name = f"cam{site}_{judged.alert.id}"
    line = "" if taught.label is None else _line(taught.label, box)
    archive.writestr(f"{GROUP}/images/{name}.jpg", content)
    archive.writestr(f"{GROUP}/labels/{name}.txt", line)
    archive.writestr(f"{GROUP}/labelled/{name}.txt", " ".join(sorted(taught.known)) + "\n")
    exported.pictures += 1
    exported.by_label[taught.label or f"no {accused}"] += 1
    return {
        "picture": f"{name}.jpg",
        "alert": judged.alert.id,
        "found_at": judged.alert.found_at.isoformat(),
        "code": judged.alert.code,
        "decision": judged.alert.state.value,
        "reason": judged.reason if judged.alert.state is AlertState.FALSE_ALARM else None,
        "model": judged.alert.model,
        "snapshot_sha256": judged.sha256,
    }


def _box(detection: dict[str, Any]) -> Box:
    x1, y1, x2, y2 = detection["box"]
    return float(x1), float(y1), float(x2), float(y2)


def _line(label: str, box: Box) -> str:
    centre = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    numbers = (*centre, box[2] - box[0], box[3] - box[1])
    return f"{LABELS.index(label)} " + " ".join(f"{number:.6f}" for number in numbers) + "\n"


def unpack(archive: IO[bytes], target: Path) -> None:
    """Put an exported ZIP under ``target``, where an earlier export may lie.

    The new export speaks for all alerts of its span: a picture of an earlier one whose decision has
    been reversed since, or settles nothing any more, is taken away. Pictures outside the span stay.
    """
    folder = target / GROUP
    earlier = _manifest(folder / "manifest.json")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(target)
    made = _manifest(folder / "manifest.json")
    kept = {entry["picture"] for entry in made["pictures"]}
    for entry in earlier["pictures"]:
        if entry["picture"] in kept:
            continue
        stands = made["without_picture"].get(str(entry["alert"])) == entry["decision"]
        if stands or not _within(entry.get("found_at"), made["since"], made["until"]):
            made["pictures"].append(entry)
            continue
        stem = Path(entry["picture"]).stem
        for part, suffix in (("images", "jpg"), ("labels", "txt"), ("labelled", "txt")):
            (folder / part / f"{stem}.{suffix}").unlink(missing_ok=True)
    (folder / "manifest.json").write_text(json.dumps(made, ensure_ascii=False, indent=1), "utf-8")


def _manifest(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {"pictures": []}
    except ValueError as error:
        raise ConfigError(
            f"{path} of an earlier export cannot be read ({error}). Export into a new folder."
        ) from None
    if not isinstance(content, dict) or not isinstance(content.get("pictures"), list):
        raise ConfigError(f"{path} is no list of an earlier export. Export into a new folder.")
    return content


def _within(found_at: str | None, since: str | None, until: str | None) -> bool:
    if since is None and until is None:
        return True
    if found_at is None:  # an export from before the moments were written down
        return False
    at = datetime.fromisoformat(found_at)
    after = since is None or at >= datetime.fromisoformat(since)
    return after and (until is None or at < datetime.fromisoformat(until))
