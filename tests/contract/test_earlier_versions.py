"""Edges are upgraded after the backend, some much later: what they say is taken, what they hear is read.

The bodies below ``bodies`` were written by the wire models of that version (``record.py``); the models
themselves lie unchanged in ``versions``.
"""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest
from pydantic import BaseModel, ValidationError
from sqlalchemy import select
from websockets.asyncio.client import connect

from kitchen_watch import control, events
from kitchen_watch.backend.evidence.tables import LinkState, ManifestRow
from kitchen_watch.signing import sign
from tests.backend.support import EDGE_SECRETS, Backend, running
from tests.contract.record import BODIES, EDGE, PICTURE

VERSIONS = ["v0_1", "v0_2", "v0_3"]
CONTROL = "/api/v1/edge/control"


class Version:
    """One earlier version: its models, and what it said."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.events: ModuleType = importlib.import_module(f"tests.contract.versions.{name}.events")
        self.control: ModuleType = importlib.import_module(f"tests.contract.versions.{name}.control")
        self.said: dict[str, Any] = json.loads((BODIES / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> Version:
    return Version(request.param)


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    with running(tmp_path_factory.mktemp("contract")) as backend:
        yield backend


def test_events_are_taken_and_the_answer_can_be_read(version: Version, backend: Backend) -> None:
    for name in ("batch", "batch_without_defaults"):
        body = json.dumps(version.said[name]).encode()
        answer = backend.signed("POST", "/api/v1/edge/events", body=body, edge_id=EDGE)
        read = version.events.EventBatchResult.model_validate_json(answer.content)
        assert [one.verdict for one in read.results] == ["accepted"] * len(version.said[name]["events"])
        assert set(read.model_dump()) == set(answer.json()), "nothing that this version does not know of"
        again = backend.signed("POST", "/api/v1/edge/events", body=body, edge_id=EDGE)
        read = version.events.EventBatchResult.model_validate_json(again.content)
        assert {one.verdict for one in read.results} == {"duplicate"}, "the same event is the same event"


def test_the_seal_of_evidence_holds_and_its_files_are_taken(version: Version, backend: Backend) -> None:
    body = json.dumps(version.said["batch"]).encode()
    wanted = backend.signed("POST", "/api/v1/edge/events", body=body, edge_id=EDGE).json()
    [file] = version.said["batch"]["events"][0]["evidence"]["files"]
    with backend.parts.database.read() as session:
        row = session.scalars(
            select(ManifestRow).where(ManifestRow.sha256 == version.said["manifest_sha256"])
        ).one()
    assert row.link is not LinkState.BROKEN, "the hash is over what the edge sent, not over today's fields"
    if file["sha256"] in wanted["missing_files"]:
        backend.signed(
            "PATCH", f"/api/v1/edge/evidence/{file['sha256']}", body=PICTURE, edge_id=EDGE,
            headers={"upload-offset": "0"},
        )  # fmt: skip
    state = backend.signed("GET", f"/api/v1/edge/evidence/{file['sha256']}", edge_id=EDGE)
    assert version.events.UploadState.model_validate_json(state.content).complete


async def test_everything_it_says_over_the_control_connection_is_understood(
    version: Version, backend: Backend
) -> None:
    headers = sign(
        EDGE_SECRETS[EDGE], edge_id=EDGE, method="GET", target=CONTROL, body=b"", at=datetime.now(UTC)
    )
    url = backend.url.replace("http://", "ws://") + CONTROL
    heard: list[Any] = []
    for message in version.said["said"]:
        control.from_edge.validate_python(message)
    async with connect(url, additional_headers=headers, proxy=None) as socket, asyncio.timeout(10):
        for message in version.said["said"]:
            await socket.send(json.dumps(message))
        while sum(one.type == "heartbeat_ack" for one in heard) < 2:
            heard.append(version.control.from_backend.validate_json(await socket.recv()))
    assert heard[0].type == "welcome"
    shown = {edge["edge_id"]: edge for edge in backend.logged_in("admin").get("/api/v1/edges").json()}
    assert shown[EDGE]["software_version"] == version.name


def test_what_the_backend_sends_is_read_or_ignored_and_never_misread(version: Version) -> None:
    """A kind or value that a version does not know fails its model as a whole, so it is ignored."""
    view, now = uuid4(), datetime.now(UTC)
    sent: list[BaseModel] = [
        control.Welcome(server_time=now),
        control.HeartbeatAck(server_time=now),
        control.ConfigurationOffer(offer_id=view, version="2", cameras={"cam-a1": {}, "cam-a2": None}),
        control.CameraCommand(command_id=view, camera_id="cam-a1", action="snapshot"),
        control.ViewerOffer(view_id=view, camera_id="cam-a1", sdp="v=0"),
        control.ViewerClose(view_id=view),
        control.PushRequest(push_id=view, camera_id="cam-a1", kind="fmp4"),
        control.PushRequest(push_id=view, camera_id="cam-a1", kind="segment", segment_id="1"),
        control.RecordingQuery(query_id=view, camera_id="cam-a1", since_at=now, until_at=now),
        control.HeldSpans(version="1"),
    ]  # fmt: skip
    read = set()
    for message in sent:
        try:
            understood = version.control.from_backend.validate_json(message.model_dump_json())
        except ValidationError:
            continue
        ours = message.model_dump(mode="json")
        theirs = understood.model_dump(mode="json")
        assert {key: ours[key] for key in theirs} == theirs
        read.add(message.type)  # type: ignore[attr-defined]
    assert {"welcome", "heartbeat_ack", "configuration_offer", "camera_command"} <= read


def test_only_fields_with_a_default_were_added(version: Version) -> None:
    """What an earlier model needs, today's still has; what today's needs, the earlier one had."""
    for today, before in ((events, version.events), (control, version.control)):
        for name, model in vars(before).items():
            if not (isinstance(model, type) and issubclass(model, BaseModel)) or name.startswith("_"):
                continue
            now = getattr(today, name, None)
            assert now is not None, f"{name} is gone"
            fields, known = now.model_fields, model.model_fields
            assert known.keys() <= fields.keys(), f"{name} lost {known.keys() - fields.keys()}"
            needed = {key for key in fields.keys() - known.keys() if fields[key].is_required()}
            assert not needed, f"{name} now needs {needed}, which an earlier edge does not send"
            stricter = {key for key in known if fields[key].is_required() and not known[key].is_required()}
            assert not stricter, f"{name} now needs {stricter}"


def test_every_kept_version_is_tried() -> None:
    kept = {path.stem for path in BODIES.glob("*.json")}
    modules = {path.name for path in (Path(__file__).parent / "versions").glob("v*")}
    assert kept == modules == set(VERSIONS)
