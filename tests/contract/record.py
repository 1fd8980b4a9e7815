"""Writes down what an edge of a version says: ``python -m tests.contract.record v0_3``.

Run once when a version is released, after its ``events.py`` and ``control.py`` were copied to
``tests/contract/versions``; what is written is committed and never changed. Every field that the
version knows is filled once, and left out once where it may be.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
from pathlib import Path
from typing import Any

BODIES = Path(__file__).parent / "bodies"
EDGE, CAMERA = "edge-1", "cam-a1"
NOON = "2026-03-02T04:00:00Z"
PICTURE = b"\xff\xd8\xff\xe0 a picture of a kitchen \xff\xd9"
FIRST_LINK = "0" * 64


def record(version: str) -> dict[str, Any]:
    """Bodies by name, as the version's own models write them."""
    events = importlib.import_module(f"tests.contract.versions.{version}.events")
    control = importlib.import_module(f"tests.contract.versions.{version}.control")
    number = int(version.rsplit("_", 1)[1])
    full, bare = _violation(events, 10 * number), _violation(events, 10 * number + 1, bare=True)
    files = [
        {
            "name": "clean.jpg", "kind": "clean_snapshot", "media_type": "image/jpeg",
            "size_bytes": len(PICTURE), "sha256": hashlib.sha256(PICTURE).hexdigest(), "starts_at": NOON,
        }
    ]  # fmt: skip
    draft = {
        "manifest_id": _id(number, 9), "chain_index": 1000 * number,
        "previous_sha256": "b" * 64, "edge_id": EDGE,
        "camera_id": CAMERA, "violation_id": full["violation_id"], "code": "NO_HAT", "created_at": NOON,
        "server_offset_ms": 12, "model": full["model"], "rule": full["rule"], "files": files,
        "detections": full["detections"], "sha256": FIRST_LINK,
    }  # fmt: skip
    manifest = events.EvidenceManifest.model_validate(draft)
    sealed = manifest.model_copy(update={"sha256": events.manifest_sha256(manifest)})
    opened = events.Event.model_validate({**full, "evidence": sealed.model_dump(mode="json")})
    later = [
        {**full, "event_id": _id(number, 2), "kind": "violation_updated", "sequence": 1},
        {**full, "event_id": _id(number, 3), "kind": "violation_closed", "sequence": 2, "ended_at": NOON},
        bare,
    ]
    batch = events.EventBatch(events=(opened, *(events.Event.model_validate(one) for one in later)))
    camera = {"camera_id": CAMERA, "state": "streaming", "since": NOON, "codec": "h264",
              "reason": "all is well", "frames_received": 250, "frames_analysed": 50,
              "frames_dropped": 1, "frame_age_ms": 80,
              "width": 1920, "height": 1080}  # fmt: skip
    beat = {"sent_at": NOON, "cameras": [camera], "outbox_pending": 3, "outbox_oldest_s": 1.5,
            "dead_letters": 0, "disk_free_bytes": 10**10, "warnings": ["the disk fills"]}  # fmt: skip
    hello = {"edge_id": EDGE, "software_version": version, "model_sha256": "a" * 64, "cameras": [CAMERA]}
    said = [
        control.Hello.model_validate(hello),
        control.Heartbeat.model_validate(beat),
        control.Heartbeat(sent_at=NOON),
        control.ConfigurationAnswer(
            offer_id=_id(number, 7), version="1", accepted=False, reason="cameras: unknown key"
        ),
        control.CommandAnswer(command_id=_id(number, 8), accepted=True, data="/9j/"),
    ]
    if hasattr(control, "ViewerAnswer"):
        said.append(control.ViewerAnswer(view_id=_id(number, 4), accepted=False, reason="no such camera"))
        said.append(control.ViewerEnded(view_id=_id(number, 4), reason="the browser went away"))
    if hasattr(control, "RecordingAnswer"):
        piece = {"segment_id": "20260302-040000", "begins_at": NOON, "seconds": 10.0, "size": 1000}
        answer = {"query_id": _id(number, 5), "accepted": True, "segments": [piece], "oldest_at": NOON}
        said.append(control.RecordingAnswer.model_validate(answer))
    if hasattr(control, "HoldReport"):
        said.append(control.HoldReport(version="1", segments=2, size_bytes=2000, packages=1))
    least = events.Event.model_validate(_violation(events, 10 * number + 2, bare=True))
    return {
        "batch": _plain(batch),
        # What a model leaves at its default may also be absent: an older or a foreign sender does so.
        "batch_without_defaults": json.loads(
            events.EventBatch(events=(least,)).model_dump_json(exclude_defaults=True)
        ),
        "manifest_sha256": sealed.sha256,
        "said": [_plain(one) for one in said],
    }  # fmt: skip


def _violation(events: Any, number: int, *, bare: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = {
        "event_id": _id(number, 1), "kind": "violation_opened", "violation_id": _id(number, 0), "sequence": 0,
        "edge_id": EDGE, "camera_id": CAMERA, "code": "NO_HAT", "tier": 2, "occurred_at": NOON,
        "started_at": NOON, "last_seen_at": NOON, "confidence": 0.75,
        "rule": {"rule_id": "NO_HAT/stove", "version": "0123456789ab", "parameters": {"held_s": 10.0}},
    }  # fmt: skip
    if not bare:
        found |= {
            "model": {"name": "kitchen-yolo26n", "version": "1", "sha256": "a" * 64},
            "server_offset_ms": -40, "zone_id": "stove", "detail": "A bare head at the stove.",
            "detections": [
                {"label": "no_hat", "confidence": 0.75, "box": [0.1, 0.2, 0.3, 0.4], "track_id": 7}
            ],
        }  # fmt: skip
    return found


def _plain(message: Any) -> Any:
    return json.loads(message.model_dump_json())


def _id(number: int, part: int) -> str:
    return f"00000000-0000-4000-8000-{number:06d}{part:06d}"


def main() -> None:
    for version in sys.argv[1:]:
        path = BODIES / f"{version}.json"
        path.write_text(json.dumps(record(version), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
