"""Events version 1: what an edge wrote last year is still understood, and a manifest proves itself."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from kitchen_watch.events import FIRST_LINK, Event, EvidenceManifest, canonical_json, manifest_sha256

RULE = {"rule_id": "NO_HAT", "version": "0123456789ab", "parameters": {"held_s": 10.0}}
MANIFEST: dict[str, Any] = {
    "manifest_id": "8f14e45f-ceea-467f-a8d0-3f6b2a0b0001",
    "chain_index": 0,
    "previous_sha256": FIRST_LINK,
    "edge_id": "edge-1",
    "camera_id": "cam-1",
    "violation_id": "8f14e45f-ceea-467f-a8d0-3f6b2a0b0002",
    "code": "NO_HAT",
    "created_at": "2026-11-24T02:00:00Z",
    "model": None,
    "rule": RULE,
    "files": [],
    "sha256": FIRST_LINK,
}
EVENT: dict[str, Any] = {
    "event_id": "8f14e45f-ceea-467f-a8d0-3f6b2a0b0003",
    "kind": "violation_opened",
    "violation_id": MANIFEST["violation_id"],
    "sequence": 0,
    "edge_id": "edge-1",
    "camera_id": "cam-1",
    "code": "NO_HAT",
    "tier": 2,
    "occurred_at": "2026-11-24T02:00:00Z",
    "started_at": "2026-11-24T01:59:50Z",
    "last_seen_at": "2026-11-24T02:00:00Z",
    "confidence": 0.83,
    "rule": RULE,
}


def test_an_event_survives_the_wire_unchanged() -> None:
    event = Event.model_validate(EVENT)
    assert Event.model_validate_json(event.model_dump_json()) == event
    assert event.violation_id == UUID(MANIFEST["violation_id"])


def test_a_later_edge_may_add_fields() -> None:
    assert Event.model_validate(EVENT | {"humidity": 0.7}) == Event.model_validate(EVENT)


@pytest.mark.parametrize(
    "change",
    [
        {"confidence": 1.2},
        {"sequence": -1},
        {"occurred_at": "2026-11-24T02:00:00"},
        {"code": "no hat"},
        {"tier": 4},
        {"schema_version": "kitchen_watch.event/2"},
        {"edge_id": "../etc/passwd"},
    ],
)
def test_what_breaks_the_contract_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Event.model_validate(EVENT | change)


def test_a_manifest_hash_covers_everything_but_itself() -> None:
    manifest = EvidenceManifest.model_validate(MANIFEST)
    own = manifest_sha256(manifest)
    assert manifest_sha256(manifest.model_copy(update={"sha256": own})) == own
    assert manifest_sha256(manifest.model_copy(update={"code": "NO_MASK"})) != own
    assert manifest_sha256(manifest.model_copy(update={"previous_sha256": own})) != own


def test_the_hashed_bytes_do_not_depend_on_key_order() -> None:
    assert canonical_json({"b": 1, "a": "鼠"}) == canonical_json(json.loads('{"a": "鼠", "b": 1}'))
