"""Judged alerts leave the backend as training pictures, and the training side reads them."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from kitchen_watch.backend.feedback.service import unpack
from kitchen_watch.errors import ConfigError
from kitchen_watch.events import DetectionSeen, EvidenceKind, manifest_sha256
from kitchen_watch.training import dataset
from tests.backend.stories import Chain, Violation, deliver, evidence_file, upload
from tests.backend.support import Backend

HEAD = (0.40, 0.30, 0.46, 0.40)
OTHER_HEAD = (0.50, 0.30, 0.56, 0.40)
GREY = (114, 114, 114)


def snapshot(*, red: tuple[float, float, float, float] = HEAD) -> bytes:
    """A white kitchen of 1280x720 with one red head."""
    picture = Image.new("RGB", (1280, 720), "white")
    box = (int(red[0] * 1280), int(red[1] * 720), int(red[2] * 1280), int(red[3] * 720))
    picture.paste((200, 30, 30), box)
    encoded = io.BytesIO()
    picture.save(encoded, "JPEG", quality=95)
    return encoded.getvalue()


def seen(label: str, box: tuple[float, float, float, float]) -> DetectionSeen:
    return DetectionSeen(label=label, confidence=0.8, box=box)


def tell(
    backend: Backend, chain: Chain, *found: DetectionSeen, code: str = "NO_HAT", camera_id: str = "cam-a1"
) -> None:
    """One alert with a clean snapshot."""
    violation = Violation(camera_id=camera_id, code=code)
    content = snapshot()
    manifest = chain.seal(
        camera_id=camera_id,
        violation_id=violation.violation_id,
        code=code,
        files=[evidence_file(content, EvidenceKind.CLEAN)],
    )
    manifest = manifest.model_copy(update={"detections": found})
    manifest = manifest.model_copy(update={"sha256": manifest_sha256(manifest)})
    chain.last = manifest.sha256
    deliver(backend, violation.tell(evidence=manifest, detections=found))
    assert upload(backend, content).status_code == 200


def decide(backend: Backend, alert: int, step: str, **body: Any) -> None:
    answer = backend.logged_in("regulator").post(
        f"/api/v1/alerts/{alert}/{step}", json={"version": 0, **body}
    )
    assert answer.status_code == 200, answer.text


def opened(answer: httpx.Response) -> zipfile.ZipFile:
    assert answer.status_code == 200, answer.text
    return zipfile.ZipFile(io.BytesIO(answer.content))


@pytest.fixture
def judged(any_backend: Backend) -> Backend:
    """Alert 1 verified, 2 a cap misread, 3 turned away, 4 not decided, 5 verified but two heads are bare."""
    chain = Chain()
    for _ in range(4):
        tell(any_backend, chain, seen("no_hat", HEAD), seen("hat", OTHER_HEAD), seen("person", (0, 0, 1, 1)))
    tell(any_backend, chain, seen("no_hat", HEAD), seen("no_hat", OTHER_HEAD))
    decide(any_backend, 1, "verify")
    decide(any_backend, 2, "reject", reason="misread_clothing")
    decide(any_backend, 3, "reject", reason="hidden")
    decide(any_backend, 5, "verify")
    return any_backend


def test_decisions_become_a_group_that_training_reads(judged: Backend, tmp_path: Path) -> None:
    answer = judged.logged_in("supervisor").get("/api/v1/dataset")
    unpack(io.BytesIO(answer.content), tmp_path)
    examples = dataset.read_split(tmp_path / "train")
    assert [example.group for example in examples] == ["feedback", "feedback"]
    assert {example.labelled for example in examples} == {frozenset({"hat", "no_hat"})}
    assert [[dataset.LABELS[int(box[0])] for box in example.boxes] for example in examples] == [
        ["no_hat"], ["hat"],
    ]  # fmt: skip
    for example in examples:
        picture = dataset.read_picture(example.picture)
        height, width = picture.shape[:2]
        x1, y1, x2, y2 = example.boxes[0, 1:] * [width, height, width, height]
        middle = picture[int((y1 + y2) / 2), int((x1 + x2) / 2)]
        assert middle[0] > 150 > middle[1], "the box lies on the judged head"
        assert width < 1280, "the rest of the picture stays here"


def test_heads_nobody_judged_are_painted_grey(judged: Backend) -> None:
    archive = opened(judged.logged_in("admin").get("/api/v1/dataset"))
    name = next(one for one in archive.namelist() if one.endswith("_1.jpg"))
    picture = Image.open(io.BytesIO(archive.read(name))).convert("RGB")
    greys = sum(
        count
        for count, colour in picture.getcolors(1 << 20) or []
        if isinstance(colour, tuple) and all(abs(a - b) < 4 for a, b in zip(colour, GREY, strict=True))
    )
    assert greys > 1000


def test_what_is_left_out_is_counted_with_its_reason(judged: Backend) -> None:
    archive = opened(judged.logged_in("admin").get("/api/v1/dataset"))
    about = json.loads(archive.read("train/feedback/manifest.json"))
    assert [one["alert"] for one in about["pictures"]] == [1, 2]
    assert about["pictures"][1]["reason"] == "misread_clothing"
    assert about["left_out"] == {
        "the decision does not settle what is in the box": 1,
        "several boxes could be the judged one": 1,
    }
    assert "甲饭店" not in archive.read("train/feedback/manifest.json").decode()


def test_an_export_ends_at_the_scope_and_is_written_down(judged: Backend) -> None:
    elsewhere = opened(judged.logged_in("supervisor2").get("/api/v1/dataset"))
    assert elsewhere.namelist() == ["train/feedback/manifest.json"]
    for nobody in ("regulator", "official_a", "manager_a", "staff_a"):
        assert judged.logged_in(nobody).get("/api/v1/dataset").status_code == 403
    assert judged.client().get("/api/v1/dataset").status_code == 401
    entries = judged.logged_in("admin").get("/api/v1/audit", params={"action": "dataset_exported"}).json()
    assert [one["username"] for one in entries["items"]] == ["supervisor2"]


def test_a_snapshot_that_is_no_picture_costs_only_itself(any_backend: Backend) -> None:
    chain = Chain()
    tell(any_backend, chain, seen("no_hat", HEAD))
    tell(any_backend, chain, seen("no_hat", HEAD))
    decide(any_backend, 1, "verify")
    decide(any_backend, 2, "verify")
    for path in any_backend.parts.settings.evidence_dir.glob("??/??/*"):
        path.write_bytes(b"not a picture")
    about = json.loads(
        opened(any_backend.logged_in("admin").get("/api/v1/dataset")).read("train/feedback/manifest.json")
    )
    assert about["left_out"] == {"the snapshot cannot be read": 2}


def taken(backend: Backend, folder: Path, **span: str) -> list[str]:
    """Export into ``folder`` and say which alerts training reads from it, with what is in their boxes."""
    answer = backend.logged_in("admin").get("/api/v1/dataset", params=span)
    unpack(io.BytesIO(answer.content), folder)
    return sorted(
        f"{example.picture.stem.rpartition('_')[2]} {dataset.LABELS[int(example.boxes[0][0])]}"
        for example in dataset.read_split(folder / "train")
    )


def test_a_decision_reversed_since_the_last_export_takes_its_picture_away(
    judged: Backend, tmp_path: Path
) -> None:
    assert taken(judged, tmp_path) == ["1 no_hat", "2 hat"]
    for who, step, body in (
        ("regulator", "assign", {}),
        ("manager_a", "appeal", {"text": "他戴了帽子"}),
        ("supervisor", "decide", {"upheld": True, "note": "看过录像", "reason": "hidden"}),
    ):
        browser = judged.logged_in(who)
        version = browser.get("/api/v1/alerts/1/case").json()["version"]
        answer = browser.post(f"/api/v1/alerts/1/{step}", json={"version": version, **body})
        assert answer.status_code == 200, answer.text
    assert taken(judged, tmp_path, since="2031-01-01T00:00:00Z") == ["1 no_hat", "2 hat"], "another span"
    assert taken(judged, tmp_path) == ["2 hat"]
    about = json.loads((tmp_path / "train/feedback/manifest.json").read_text("utf-8"))
    assert [one["alert"] for one in about["pictures"]] == [2]


def test_a_picture_stays_when_only_the_snapshot_is_gone(judged: Backend, tmp_path: Path) -> None:
    taken(judged, tmp_path)
    for path in judged.parts.settings.evidence_dir.glob("??/??/*"):
        path.unlink()
    assert taken(judged, tmp_path) == ["1 no_hat", "2 hat"]


def test_a_list_that_cannot_be_read_stops_the_export_before_anything_is_written(
    judged: Backend, tmp_path: Path
) -> None:
    (tmp_path / "train/feedback").mkdir(parents=True)
    (tmp_path / "train/feedback/manifest.json").write_text("{", "utf-8")
    with pytest.raises(ConfigError, match="new folder"):
        taken(judged, tmp_path)
    assert list((tmp_path / "train/feedback").iterdir()) == [tmp_path / "train/feedback/manifest.json"]
