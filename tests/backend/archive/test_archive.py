"""The archive of a premises: everything is in it, every hash fits, only the right people take it."""

from __future__ import annotations

import csv
import io
import random
import subprocess
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from PIL import Image
from sqlalchemy import select, update

from kitchen_watch.backend.archive.zipping import BLOCK, StreamedZip, blocks_of
from kitchen_watch.backend.audit.tables import AuditRow
from kitchen_watch.backend.evidence.tables import EvidenceFileRow
from kitchen_watch.clock import ManualClock
from kitchen_watch.events import EvidenceKind
from tests.backend.complaints.test_complaints import WORDS
from tests.backend.complaints.test_complaints import file as file_complaint
from tests.backend.patrols.inspectors import good_answers
from tests.backend.self_checks.test_self_checks import begin, hand_in, photo
from tests.backend.stories import CLIP, Chain, deliver, opening_with_evidence, upload
from tests.backend.support import NOON, Backend, running

A, B = 1, 2
PERIOD = {"since": "2026-03-01", "until": "2026-03-31", "purpose": "年度归档"}


def picture(seed: int) -> bytes:
    file = io.BytesIO()
    Image.frombytes("RGB", (64, 48), random.Random(seed).randbytes(64 * 48 * 3)).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """B has an alert with all evidence, one whose clip was deleted, one never uploaded; letters; a check."""
    clock = ManualClock(NOON)
    settings = {"outgoing": {"send_here": False}}
    with running(tmp_path_factory.mktemp("archive"), clock=clock, **settings) as backend:
        chain = Chain()
        deliver(
            backend,
            opening_with_evidence("cam-b1", chain=chain, annotated_snapshot=picture(1), clip=CLIP),
        )
        upload(backend, picture(1))
        upload(backend, CLIP)
        gone = CLIP[::-1]
        deliver(backend, opening_with_evidence("cam-b1", chain=chain, clip=gone))
        upload(backend, gone)
        deliver(backend, opening_with_evidence("cam-b1", chain=chain, annotated_snapshot=picture(2)))
        deliver(backend, opening_with_evidence("cam-a1", chain=chain, annotated_snapshot=picture(3)))
        officer = backend.logged_in("regulator")
        officer.post("/api/v1/alerts/1/verify", json={"version": 0, "note": "看得清楚"})
        officer.post("/api/v1/letters", json={"kind": "reminder", "alert_ids": [1]})
        officer.post("/api/v1/letters", json={"kind": "reminder", "alert_ids": [1], "premises_side": False})
        hold = {"kind": "alert", "alert_id": 1, "reason": "投诉举报"}
        answer = officer.post("/api/v1/holds", json=hold)
        assert answer.status_code == 201, answer.text
        with backend.parts.database.write() as session:
            session.execute(
                update(EvidenceFileRow)
                .where(EvidenceFileRow.alert_id == 2)
                .values(completed_at=None, deleted_at=datetime(2026, 3, 2, 20, 0, tzinfo=UTC))
            )
        started = officer.post("/api/v1/patrols", json={"premises_id": B, "kind": "patrol"})
        assert started.status_code == 201, started.text
        check, where = started.json(), f"/api/v1/patrols/{started.json()['check_id']}"
        item = next(iter(good_answers(check)))
        shown = officer.post(f"{where}/photos", params={"item": item}, content=photo(9))
        assert shown.status_code in {200, 201}, shown.text
        version = officer.get(where).json()["version"]
        form = {"version": version, "answers": good_answers(check)}
        assert officer.post(f"{where}/complete", json=form).status_code == 200
        file_complaint(backend, premises_id=B)
        clock.advance(timedelta(days=1))
        manager = backend.logged_in("manager_b")
        hand_in(manager, begin(manager))
        yield backend


@pytest.fixture(scope="module")
def taken(district: Backend) -> zipfile.ZipFile:
    """The archive as the grid officer took it; made once, because its printed sheets take a while."""
    return opened(take(district.logged_in("regulator")))


def take(who: httpx.Client, premises_id: int = B, **more: str) -> httpx.Response:
    return who.get(f"/api/v1/premises/{premises_id}/archive", params={**PERIOD, **more})


def opened(answer: httpx.Response) -> zipfile.ZipFile:
    assert answer.status_code == 200, answer.text
    return zipfile.ZipFile(io.BytesIO(answer.content))


def lines(archive: zipfile.ZipFile) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read("02-index.csv").decode("utf-8-sig"))))


def test_every_file_has_its_hash_and_sha256sum_says_so(taken: zipfile.ZipFile, tmp_path: Path) -> None:
    archive = taken
    assert archive.testzip() is None
    archive.extractall(tmp_path)
    done = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    named = {line.split("  ", 1)[1] for line in (tmp_path / "SHA256SUMS").read_text().splitlines()}
    assert named == set(archive.namelist()) - {"SHA256SUMS"}
    known = {line["文件"]: line["SHA-256"] for line in lines(archive)}
    assert known["letters/1.pdf"] in (tmp_path / "SHA256SUMS").read_text()
    (tmp_path / "letters" / "1.pdf").write_bytes(b"forged")
    again = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path, capture_output=True, check=False)
    assert again.returncode == 1


def test_what_is_in_it_and_what_is_not_stands_in_the_index(taken: zipfile.ZipFile) -> None:
    archive = taken
    names = set(archive.namelist())
    assert {"00-cover.pdf", "01-labels.pdf", "02-index.pdf", "letters/1.pdf", "letters/2.pdf"} <= names
    assert {"checks/000001/form.txt", "checks/000001/1.jpg"} <= names
    assert {"self-checks/2026-03-03-daily-1/form.txt", "alerts/000001/timeline.txt"} <= names
    complaint = archive.read("complaints/000001/complaint.txt").decode()
    assert "菜里有头发" in complaint
    told_names = [name for name in names for word in WORDS if word.encode() in archive.read(name)]
    assert told_names == [], "nobody who complained is named"
    assert not any(name.startswith("alerts/000004") for name in names), "an alert of restaurant A"
    story = archive.read("alerts/000001/timeline.txt").decode()
    assert "未戴厨师帽" in story
    assert "看得清楚" in story
    told = {line["题名"]: line for line in lines(archive)}
    assert told["告警1 未戴厨师帽：处置经过"]["备注"] == "保全中"
    remarks = {line["备注"] for line in lines(archive) if not line["文件"]}
    assert remarks == {"已于2026-03-03按保存期限删除", "边缘节点未上传完成"}


def test_pictures_carry_a_watermark_unless_the_sealed_ones_are_asked_for(
    district: Backend, taken: zipfile.ZipFile
) -> None:
    officer = district.logged_in("regulator")
    with district.parts.database.read() as session:
        file_id = session.scalars(
            select(EvidenceFileRow.id).where(
                EvidenceFileRow.alert_id == 1, EvidenceFileRow.kind == EvidenceKind.ANNOTATED
            )
        ).one()
    path = f"alerts/000001/{file_id}-annotated_snapshot.jpg"
    copy = Image.open(io.BytesIO(taken.read(path)))
    assert copy.height > 48, "the band that names the viewer"
    sealed = opened(take(officer, pictures="sealed"))
    assert sealed.read(path) == picture(1)
    said = [next(one["备注"] for one in lines(each) if one["文件"] == path) for each in (taken, sealed)]
    assert said == ["保全中；带水印副本", "保全中；原件，无水印"]
    assert take(district.logged_in("manager_b"), pictures="sealed").status_code == 403


def test_only_the_right_people_take_it_and_their_purpose_is_written_down(district: Backend) -> None:
    for username, status in (
        ("manager_a", 404), ("staff_a", 404), ("regulator2", 404), ("supervisor2", 404), ("official_a", 404),
    ):  # fmt: skip
        assert take(district.logged_in(username)).status_code == status, username
    assert take(district.logged_in("staff_a"), A).status_code == 403
    assert take(district.logged_in("regulator"), purpose="").status_code == 422
    assert take(district.logged_in("regulator"), since="2026-04-01").status_code == 422
    assert take(district.logged_in("regulator"), since="2020-01-01").status_code == 422
    assert take(district.logged_in("regulator"), until="9999-12-31").status_code == 422
    mine = opened(take(district.logged_in("manager_b"), purpose="自留"))
    assert not any(name.startswith("complaints/") for name in mine.namelist()), "it is not told of complaints"
    assert "保全中" not in {line["备注"] for line in lines(mine)}, "a restaurant is not told of holds"
    assert "letters/1.pdf" in mine.namelist()
    assert "letters/2.pdf" not in mine.namelist(), "a letter to the territory side"
    with district.parts.database.read() as session:
        purposes = session.scalars(select(AuditRow.purpose).where(AuditRow.action == "archive_taken")).all()
    assert purposes[-1] == "自留"


def test_the_printed_sheets_are_in_chinese_and_name_who_took_them(
    taken: zipfile.ZipFile, tmp_path: Path
) -> None:
    for name, words in (
        ("00-cover.pdf", ("食品安全监管档案", "乙饭店", "JY-B", "年度归档", "测试regulator")),
        ("01-labels.pdf", ("食安档案", "2026-03-01至2026-03-31")),
        ("02-index.pdf", ("卷内目录", "告警1未戴厨师帽：处置经过", "保全中")),
    ):
        (tmp_path / name).write_bytes(taken.read(name))
        text = subprocess.run(
            ["pdftotext", "-layout", tmp_path / name, "-"], capture_output=True, text=True, check=True
        ).stdout
        plain = "".join(text.split())
        for word in words:
            assert word in plain, (name, word)


def test_the_page_asks_for_period_and_purpose(district: Backend) -> None:
    shown = district.logged_in("manager_b").get(f"/premises/{B}/archive")
    assert "sha256sum" in shown.text
    assert "sealed" not in shown.text
    assert "sealed" in district.logged_in("regulator").get(f"/premises/{B}/archive").text
    assert district.logged_in("staff_a").get(f"/premises/{A}/archive").status_code == 403
    assert district.logged_in("manager_a").get(f"/premises/{B}/archive").status_code == 404


def test_a_period_at_the_end_of_the_calendar_is_refused(district: Backend) -> None:
    officer = district.logged_in("regulator")
    for day, status in (("9999-12-30", 200), ("9999-12-31", 422), ("0001-01-01", 422)):
        assert take(officer, since=day, until=day).status_code == status, day


def test_a_large_file_passes_through_in_blocks(tmp_path: Path) -> None:
    large = tmp_path / "clip.mp4"
    with large.open("wb") as file:
        file.truncate(60 * BLOCK)
    archive, sent = StreamedZip(NOON), 0
    tracemalloc.start()
    for piece in archive.add("clip.mp4", blocks_of(large), size=60 * BLOCK, packed=True):
        sent += len(piece)
    for piece in archive.close():
        sent += len(piece)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sent > 60 * BLOCK
    assert peak < 8 * BLOCK
