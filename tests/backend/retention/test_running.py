"""Nights of retention: what goes, what stays, and that what is held is never touched."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from kitchen_watch.backend.alerts.states import AlertState
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.audit.service import Actor
from kitchen_watch.backend.audit.tables import AuditRow
from kitchen_watch.backend.auth.sessions import find_person
from kitchen_watch.backend.evidence.tables import LinkState, ManifestRow
from kitchen_watch.backend.handling.tables import TransitionRow
from kitchen_watch.backend.holds.schemas import HoldBody
from kitchen_watch.backend.holds.service import place
from kitchen_watch.backend.organisations.writing import Author
from kitchen_watch.backend.retention.running import Retention
from kitchen_watch.backend.retention.settings import RetentionSettings
from kitchen_watch.backend.retention.sweeping import Sweep
from kitchen_watch.backend.retention.tables import DeletionRow
from tests.backend.retention.nights import QUIET, evidence, files, finish, later, retention
from tests.backend.stories import PICTURE, Chain, deliver, opening_with_evidence, upload
from tests.backend.support import Backend, running

YEAR = 366


@pytest.fixture
def district(tmp_path: Path) -> Iterator[Backend]:
    """Restaurant A has two finished cases with evidence and an open one; B has a finished one."""
    with running(tmp_path, **QUIET) as backend:
        evidence(backend, "cam-a1", "cam-a2", "cam-a1", "cam-b1")
        finish(backend, 1, 2, 4)
        yield backend


def kept(backend: Backend) -> list[bool]:
    """For each alert whether its files are there, in the database and on the disk."""
    found = []
    for alert_id in range(1, 5):
        both = {
            (file["complete"], backend.parts.evidence.path(file["sha256"]).exists())
            for file in files(backend.logged_in("admin"), alert_id).values()
        }
        assert both in ({(True, True)}, {(False, False)}), "database and disk tell the same"
        found.append((True, True) in both)
    return found


def test_evidence_goes_a_year_after_its_case_is_closed_and_never_of_an_open_one(district: Backend) -> None:
    later(district, days=364)
    assert retention(district).look() == 0
    later(district, days=2)
    assert retention(district).look() == 6
    assert kept(district) == [False, False, True, False]


def test_the_alert_its_hashes_and_the_chain_stay_and_the_page_says_why(district: Backend) -> None:
    before = files(district.logged_in("admin"), 1)
    later(district, days=YEAR)
    retention(district).look()
    browser = district.logged_in("regulator")
    after = files(browser, 1)
    assert {kind: file["sha256"] for kind, file in after.items()} == {
        kind: file["sha256"] for kind, file in before.items()
    }
    assert all(file["url"] is None and file["deleted_at"] for file in after.values())
    assert browser.get("/api/v1/alerts/1").json()["evidence_sound"]
    with district.parts.database.read() as session:
        assert set(session.scalars(select(ManifestRow.link))) == {LinkState.LINKED}
    page = browser.get("/alerts/1", headers={"accept-language": "zh"}).text
    assert "已按保存期限于" in page
    assert "/media/evidence/" not in page
    log = browser.get("/api/v1/retention/deletions", params={"alert_id": 1}).json()["items"]
    assert {(one["sha256"], one["policy"], one["kind"]) for one in log} == {
        (file["sha256"], "evidence=365d", "evidence") for file in before.values()
    }


def test_an_edge_is_not_asked_for_what_was_deleted(district: Backend) -> None:
    later(district, days=YEAR)
    retention(district).look()
    sha256 = files(district.logged_in("admin"), 1)["annotated_snapshot"]["sha256"]
    answer = district.signed("GET", f"/api/v1/edge/evidence/{sha256}")
    assert answer.json()["complete"]
    assert upload(district, PICTURE + bytes([0])).json()["complete"]
    assert kept(district)[0] is False


def test_a_hold_wins_over_policy_until_it_is_lifted(district: Backend) -> None:
    browser = district.logged_in("regulator")
    hold = browser.post(
        "/api/v1/holds", json={"kind": "alert", "alert_id": 1, "reason": "行政处罚取证"}
    ).json()
    assert (hold["alerts"], hold["alerts_gone"], hold["active"]) == (1, 0, True)
    later(district, days=YEAR)
    preview = district.logged_in("admin").get("/api/v1/retention/preview").json()
    assert (preview["cases"], preview["kept_by_holds"], preview["files"]) == (2, 1, 4)
    assert retention(district).look() == 4
    assert kept(district) == [True, False, True, False]
    browser = district.logged_in("regulator")
    lifted = browser.post(f"/api/v1/holds/{hold['id']}/lift", json={"reason": "案件已结"}).json()
    assert [(entry["act"], entry["reason"]) for entry in lifted["entries"]] == [
        ("placed", "行政处罚取证"),
        ("lifted", "案件已结"),
    ]
    assert not lifted["active"]
    later(district, days=1)
    assert retention(district).look() == 2
    assert kept(district) == [False, False, True, False]


def test_a_hold_with_an_end_ends(district: Backend) -> None:
    browser = district.logged_in("regulator")
    ends = (district.clock.now() + timedelta(days=YEAR, hours=1)).isoformat()
    body = {"kind": "alert", "alert_id": 1, "reason": "调查期间", "ends_at": ends}
    assert browser.post("/api/v1/holds", json=body).status_code == 201
    later(district, days=YEAR)
    retention(district).look()
    assert kept(district)[0]
    later(district, days=1)
    retention(district).look()
    assert not kept(district)[0]


@pytest.mark.parametrize(
    ("hours", "saved"), [((-24, 24), True), ((-48, -24), False), ((24, 48), False)], ids=str
)
def test_a_span_of_a_premises_or_camera_is_held_and_nothing_beside_it(
    district: Backend, hours: tuple[int, int], saved: bool
) -> None:
    since, until = ((district.clock.now() + timedelta(hours=hour)).isoformat() for hour in hours)
    body = {"kind": "camera", "camera_id": "cam-a2", "since_at": since, "until_at": until, "reason": "投诉"}
    assert district.logged_in("regulator").post("/api/v1/holds", json=body).status_code == 201
    later(district, days=YEAR)
    retention(district).look()
    assert kept(district) == [False, saved, True, False]


def test_two_processes_delete_each_file_once(district: Backend) -> None:
    later(district, days=YEAR)
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(retention(district).look())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sum(counts) == 6
    with district.parts.database.read() as session:
        assert session.scalar(select(func.count()).select_from(DeletionRow)) == 6
    assert retention(district).look() == 0


def test_a_process_that_dies_between_record_and_file_is_followed_by_one_that_goes_on(
    district: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    later(district, days=YEAR)
    first = retention(district)

    def dies(*_: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Sweep, "_gone", dies)
        with pytest.raises(KeyboardInterrupt):
            first.look()
    path = district.parts.evidence.path(files(district.logged_in("admin"), 1)["clip"]["sha256"])
    assert path.exists(), "it died before it could remove the file"
    assert retention(district).look() == 0
    assert kept(district) == [False, False, True, False]


def test_content_that_another_alert_shows_stays_on_the_disk(tmp_path: Path) -> None:
    with running(tmp_path, **QUIET) as backend:
        chain = Chain()
        for camera in ("cam-a1", "cam-a2"):
            deliver(backend, opening_with_evidence(camera, chain=chain, annotated_snapshot=PICTURE))
        upload(backend, PICTURE)
        finish(backend, 1)
        later(backend, days=YEAR)
        assert retention(backend).look() == 1
        browser = backend.logged_in("admin")
        assert files(browser, 1)["annotated_snapshot"]["deleted_at"]
        assert browser.get(files(browser, 2)["annotated_snapshot"]["url"]).content == PICTURE


def test_what_went_on_in_an_open_case_stays_with_it(district: Backend) -> None:
    with district.parts.database.write() as session:
        session.execute(update(AlertRow).where(AlertRow.id == 1).values(state=AlertState.MERGED))
        session.execute(
            update(TransitionRow)
            .where(TransitionRow.alert_id == 1)
            .values(to_state=AlertState.MERGED, facts={"into_alert_id": 3})
        )
    later(district, days=YEAR)
    retention(district).look()
    assert kept(district) == [True, False, True, False]


def test_a_short_disk_takes_only_what_the_minimum_allows_and_tells_the_administrators(
    district: Backend,
) -> None:
    browser = district.logged_in("regulator")
    browser.post("/api/v1/holds", json={"kind": "alert", "alert_id": 2, "reason": "取证"})
    later(district, days=89)
    policy = district.parts.settings.retention.model_copy(update={"disk_floor_bytes": 1000})
    assert pressed(district, policy).look() == 0
    later(district, days=2)
    assert pressed(district, policy).look() == 4
    assert kept(district) == [False, True, True, False]
    admin = district.logged_in("admin")
    told = admin.get("/api/v1/notifications").json()["items"]
    assert [one["occasion"] for one in told] == ["disk_short", "disk_short"]
    assert admin.get("/notifications").status_code == 200
    log = admin.get("/api/v1/retention/deletions").json()["items"]
    assert {one["policy"] for one in log} == {"evidence_minimum=90d"}
    assert district.logged_in("regulator").get("/api/v1/notifications").json()["items"] == []


def pressed(backend: Backend, policy: RetentionSettings) -> Retention:
    return retention(backend, policy=policy, free=lambda: 10)


def test_old_entries_of_the_audit_log_go_last_and_leave_their_hash(district: Backend) -> None:
    with district.parts.database.read() as session:
        before = session.scalar(select(func.count()).select_from(AuditRow)) or 0
    assert before
    later(district, days=6 * 365 - 1)
    retention(district).look()
    with district.parts.database.read() as session:
        assert session.scalar(select(func.count()).select_from(AuditRow)) == before
    later(district, days=2)
    retention(district).look()
    with district.parts.database.read() as session:
        assert session.scalar(select(func.count()).select_from(AuditRow)) == 0
        record = session.scalars(select(DeletionRow).where(DeletionRow.kind == "audit")).one()
    assert f"{before} of them" in record.name
    assert len(record.sha256) == 64


def test_a_hold_that_is_just_being_placed_is_waited_for(tmp_path: Path, database_settings: Any) -> None:
    """The deletion of the night and the hold of an officer meet: one waits for the other."""
    with running(tmp_path, **(QUIET | database_settings)) as backend:
        evidence(backend, "cam-a1", "cam-a2")
        finish(backend, 1, 2)
        later(backend, days=YEAR)
        browser = backend.logged_in("regulator")
        token = next(iter(browser.cookies.values()))
        counts: list[int] = []
        night = threading.Thread(target=lambda: counts.append(retention(backend).look()))
        parts = backend.parts
        person = find_person(parts.database, token, now=parts.clock.now(), times=parts.login.times)
        assert person is not None
        author = Author(person, Actor(person.id, ""), parts.clock.now())
        with parts.database.write() as session:
            place(session, author, HoldBody(kind="alert", alert_id=1, reason="取证"))
            night.start()
            night.join(timeout=0.3)
            assert night.is_alive(), "it deletes nothing before it knows"
        night.join(timeout=20)
        assert counts == [2]
        admin = backend.logged_in("admin")
        assert files(admin, 1)["clip"]["complete"]
        assert not files(admin, 2)["clip"]["complete"]


def test_one_file_that_cannot_be_removed_stops_nothing_and_is_tried_again(district: Backend) -> None:
    later(district, days=YEAR)
    first = district.parts.evidence.path(files(district.logged_in("admin"), 1)["clip"]["sha256"])
    content = first.read_bytes()
    first.unlink()
    (first / "in-the-way").mkdir(parents=True)
    night = retention(district)
    assert night.look() == 6
    gone = [kind for alert in (2, 4) for kind in files(district.logged_in("admin"), alert).values()]
    assert not any(district.parts.evidence.path(one["sha256"]).exists() for one in gone)
    admin = district.logged_in("admin")
    told = admin.get("/api/v1/notifications").json()["items"]
    assert [one["occasion"] for one in told] == ["file_stuck"]
    assert admin.get("/api/v1/retention").json()["stuck_files"] == 1
    assert "尚未能从磁盘上清除" in admin.get("/retention", headers={"accept-language": "zh"}).text
    (first / "in-the-way").rmdir()
    first.rmdir()
    first.write_bytes(content)
    night.look()
    assert first.exists(), "not with every look"
    later(district, hours=1)
    night.look()
    assert not first.exists()
    assert admin.get("/api/v1/retention").json()["stuck_files"] == 0
    assert len(admin.get("/api/v1/notifications").json()["items"]) == 1
