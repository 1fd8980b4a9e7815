"""Files of tasks and photos of self-checks: when they go, and what keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from kitchen_watch.backend.holds.tables import HoldRow
from kitchen_watch.backend.retention.tables import DeletionRow
from kitchen_watch.backend.self_checks.tables import SelfCheckPhotoRow
from kitchen_watch.backend.tasks.tables import TaskAttachmentRow
from tests.backend.complaints.test_complaints import file as file_complaint
from tests.backend.retention.nights import QUIET, later, retention
from tests.backend.self_checks.test_self_checks import begin, hand_in, photo
from tests.backend.support import NOON, Backend, running

TODAY = "2026-03-02"
YEARS_2, YEARS_3 = 2 * 365, 3 * 365


@pytest.fixture
def district(tmp_path: Path) -> Iterator[Backend]:
    """B has handed in a self-check with a photo; a complaint has given grid 1 a task, done with a file."""
    quiet: dict[str, Any] = {"complaints": {"look_every_s": 3600}, "self_checks": {"look_every_s": 9999.0}}
    with running(tmp_path, **QUIET, **quiet) as backend:
        manager = backend.logged_in("manager_b")
        check = begin(manager, TODAY)
        target = f"/api/v1/self-checks/{check['id']}"
        assert manager.post(f"{target}/photos", params={"item": "pests"}, content=photo()).status_code == 200
        assert hand_in(manager, check).status_code == 200
        task = file_complaint(backend)["task_id"]
        officer = backend.logged_in("regulator")
        unit = officer.get(f"/api/v1/tasks/{task}").json()["units"][0]
        path = f"/api/v1/tasks/units/{unit['id']}"
        sent = officer.post(
            f"{path}/attachments", content=b"%PDF-1.7 done", params={"name": "report.pdf"}
        ).json()
        body = {"version": 1, "state": "done", "done": 100, "text": "done", "attachment_id": sent["id"]}
        assert officer.post(f"{path}/reports", json=body).status_code == 200
        yield backend


def paths(backend: Backend) -> tuple[Path, Path]:
    """Of the photo and the file."""
    settings = backend.parts.settings
    with backend.parts.database.read() as session:
        shown = session.scalars(select(SelfCheckPhotoRow.sha256)).one()
        attached = session.scalars(select(TaskAttachmentRow.sha256)).one()
    return (
        settings.self_check_photos_dir / shown[:2] / shown,
        settings.attachments_dir / attached[:2] / attached,
    )


def lift(backend: Backend, hold_id: int) -> None:
    with backend.parts.database.write() as session:
        session.get_one(HoldRow, hold_id).lifted_at = backend.clock.now()


def test_each_goes_in_its_time_and_is_written_down_and_the_records_stay(district: Backend) -> None:
    lift(district, 1)
    shown, attached = paths(district)
    later(district, days=YEARS_2 - 1)
    assert retention(district).look() == 0
    later(district, days=1, hours=20)
    assert retention(district).look() == 1
    assert (shown.exists(), attached.exists()) == (False, True)
    later(district, days=365)
    assert retention(district).look() == 1
    assert not attached.exists()
    admin = district.logged_in("admin")
    log = admin.get("/api/v1/retention/deletions").json()["items"]
    assert [(one["kind"], one["policy"], one["premises"]) for one in log] == [
        ("task_file", f"task_files={YEARS_3}d", None),
        ("check_photo", f"check_photos={YEARS_2}d", "乙饭店"),
    ]
    assert [path.name for path in (attached, shown)] == [one["sha256"] for one in log]
    assert "自查照片" in admin.get("/retention", headers={"accept-language": "zh"}).text
    officer = district.logged_in("regulator")
    check = officer.get("/api/v1/self-checks/1").json()
    assert (check["photos"][0]["url"], check["sha256"] is not None) == (None, True)
    assert officer.get("/api/v1/self-checks/1/photos/1").status_code == 404
    assert officer.get("/api/v1/tasks/attachments/1").status_code == 404
    for page in ("/self-checks/1", "/tasks/1"):
        assert "按保存期限删除" in officer.get(page, headers={"accept-language": "zh"}).text, page


def test_a_hold_and_an_open_task_win(district: Backend) -> None:
    supervisor = district.logged_in("supervisor")
    premises = next(
        one["id"] for one in supervisor.get("/api/v1/premises").json()["items"] if one["licence_no"] == "JY-B"
    )
    span = {"since_at": (NOON - timedelta(hours=1)).isoformat(), "until_at": NOON.isoformat()}
    body = {"kind": "premises", "premises_id": premises, **span, "reason": "取证"}
    hold = supervisor.post("/api/v1/holds", json=body).json()["id"]
    later(district, days=YEARS_3 + 1)
    assert retention(district).look() == 0, "the hold of the officer, and that of the complaint"
    lift(district, hold)
    later(district, days=1)
    assert retention(district).look() == 1
    unit = {"version": 2, "state": "doing", "done": 50, "text": "again"}
    assert district.logged_in("regulator").post("/api/v1/tasks/units/1/reports", json=unit).status_code == 200
    lift(district, 1)
    later(district, days=YEARS_3 + 1)
    assert retention(district).look() == 0, "the unit is not done with its task"
    with district.parts.database.read() as session:
        assert [row.kind for row in session.scalars(select(DeletionRow))] == ["check_photo", "audit"]
