"""A restaurant answers a finding with photos: which are taken, who sees them, and how long they stay."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from sqlalchemy import func, select

from kitchen_watch.backend.app import make_retention
from kitchen_watch.backend.audit.tables import AuditRow
from kitchen_watch.backend.holds.tables import HoldRow
from kitchen_watch.backend.retention.tables import DeletedKind, DeletionRow
from kitchen_watch.clock import ManualClock
from tests.backend.handling.test_case import Case, picture
from tests.backend.patrols.inspectors import Inspectors, good_answers
from tests.backend.support import NOON, running

YEAR = timedelta(days=365)


@pytest.fixture
def inspectors(tmp_path: Path) -> Iterator[Inspectors]:
    clock = ManualClock(NOON)
    with running(tmp_path, clock=clock, session_idle=20 * YEAR, session_lifetime=20 * YEAR) as one:
        yield Inspectors(one)


@pytest.fixture
def finding(inspectors: Inspectors) -> dict[str, Any]:
    """A bin without a lid, found at 甲饭店."""
    check = inspectors.check(1, kind="patrol")
    inspectors.photo(check, "bins", seed=1)
    whole = {"version": check["version"], "answers": good_answers(check) | {"bins": {"value": "no"}}}
    done = inspectors.ask("regulator", "POST", f"/{check['check_id']}/complete", json=whole)
    (found,) = done["finding_list"]
    return {**found, "check_id": check["check_id"]}


def upload(
    inspectors: Inspectors, finding: dict[str, Any], content: bytes, *, name: str = "manager_a"
) -> httpx.Response:
    path = f"/api/v1/patrols/findings/{finding['finding_id']}/photos"
    return inspectors.browser(name).post(path, content=content)


def answer(inspectors: Inspectors, finding: dict[str, Any], *photo_ids: int, status: int = 200) -> Any:
    body = {"text": "已更换垃圾桶盖", "photo_ids": photo_ids}
    return inspectors.ask("manager_a", "POST", f"/findings/{finding['finding_id']}/answer", status, json=body)


def test_an_answer_carries_photos_that_the_officer_sees(
    inspectors: Inspectors, finding: dict[str, Any]
) -> None:
    taken = upload(inspectors, finding, picture(7, exif=True))
    assert taken.status_code == 201, taken.text
    photo = taken.json()
    assert upload(inspectors, finding, picture(7, exif=True)).json()["photo_id"] == photo["photo_id"]
    officer, owner = inspectors.browser("regulator"), inspectors.browser("manager_a")
    assert officer.get(photo["url"]).status_code == 404  # not handed in yet
    assert owner.get(photo["url"]).status_code == 200

    answered = answer(inspectors, finding, photo["photo_id"])
    shown = answered["finding_list"][0]["rounds"][0]["photos"]
    assert [one["sha256"] for one in shown] == [photo["sha256"]]
    assert answered["finding_list"][0]["loose_photos"] == []
    kept = officer.get(photo["url"])
    assert hashlib.sha256(kept.content).hexdigest() == photo["sha256"]
    assert not Image.open(io.BytesIO(kept.content)).getexif()  # nothing of the phone and the place
    assert b"SecretPhoneMaker" not in kept.content
    assert photo["url"] in officer.get(f"/patrols/{finding['check_id']}").text
    assert inspectors.browser("manager_b").get(photo["url"]).status_code == 404
    assert inspectors.browser("regulator2").get(photo["url"]).status_code == 404  # of another district


def test_what_is_no_new_photo_is_refused(inspectors: Inspectors, finding: dict[str, Any]) -> None:
    assert upload(inspectors, finding, b"%PDF-1.7").status_code == 422
    assert upload(inspectors, finding, picture(7, size=(100, 100))).status_code == 422
    used = upload(inspectors, finding, picture(1, form="PNG", size=(800, 600)))  # the officer's own picture
    assert (used.status_code, "used before" in used.json()["detail"]) == (422, True)
    assert upload(inspectors, finding, picture(7), name="regulator").status_code == 403
    assert upload(inspectors, finding, picture(7), name="manager_b").status_code == 404

    photo = upload(inspectors, finding, picture(7)).json()["photo_id"]
    answer(inspectors, finding, photo, 99, status=422)  # one that is not there
    answer(inspectors, finding, photo)
    assert upload(inspectors, finding, picture(8)).status_code == 409  # it waits for the officer
    settle = f"/findings/{finding['finding_id']}/settle"
    inspectors.ask("regulator", "POST", settle, json={"accepted": False, "note": "看不清"})
    answer(inspectors, finding, photo, status=422)  # handed in before
    again = upload(inspectors, finding, picture(7, form="WEBP"))
    assert (again.status_code, "used before" in again.json()["detail"]) == (422, True)
    last = answer(inspectors, finding, upload(inspectors, finding, picture(9)).json()["photo_id"])
    assert [len(one["photos"]) for one in last["finding_list"][0]["rounds"]] == [1, 1]


def test_a_photo_of_a_finding_does_not_rectify_an_alert_nor_the_other_way(
    inspectors: Inspectors, finding: dict[str, Any]
) -> None:
    case = Case(inspectors.backend)
    case.do("regulator", "verify")
    case.do("regulator", "assign")
    assert upload(inspectors, finding, picture(7)).status_code == 201
    assert "used before" in case.photo("manager_a", picture(7)).json()["detail"]
    assert case.photo("manager_a", picture(8)).status_code == 200
    assert "used before" in upload(inspectors, finding, picture(8)).json()["detail"]


def test_the_page_takes_photos_and_shows_them_to_the_officer(
    inspectors: Inspectors, finding: dict[str, Any]
) -> None:
    owner, where = inspectors.browser("manager_a"), f"/patrols/{finding['check_id']}"
    path = f"{where}/findings/{finding['finding_id']}"
    assert f'data-upload="{path}/photos"' in owner.get(where).text
    assert '<button class="button button-primary">提交整改</button>' in owner.get(where).text
    assert "无法读取" in owner.post(f"{path}/photos", content=b"none").json()["problem"]
    tray = owner.post(f"{path}/photos", content=picture(7))
    (photo,) = re.findall(r'name="photo_ids" value="(\d+)" checked', tray.text)
    fields = {"csrf_token": owner.headers["x-csrf-token"], "text": "已配盖", "photo_ids": [photo]}
    assert owner.post(f"{path}/answer", data=fields).status_code == 303
    shown = inspectors.browser("regulator").get(where).text
    assert f"/api/v1/patrols/findings/{finding['finding_id']}/photos/{photo}" in shown


def test_a_photo_whose_file_is_lost_is_not_there_and_not_viewed(
    inspectors: Inspectors, finding: dict[str, Any]
) -> None:
    photo, owner = upload(inspectors, finding, picture(7)).json(), inspectors.browser("manager_a")
    assert owner.get(photo["url"]).status_code == 200
    folder = inspectors.backend.parts.settings.patrol_pictures_dir
    (folder / photo["sha256"][:2] / photo["sha256"]).unlink()
    assert owner.get(photo["url"]).status_code == 404
    with inspectors.backend.parts.database.read() as session:
        viewed = select(func.count()).where(AuditRow.action == "finding_photo_viewed")
        assert session.scalar(viewed) == 1


def test_they_go_two_years_after_the_finding_is_settled_unless_they_are_held(
    inspectors: Inspectors, finding: dict[str, Any]
) -> None:
    backend = inspectors.backend
    assert isinstance(backend.clock, ManualClock)
    photo = upload(inspectors, finding, picture(7)).json()
    answer(inspectors, finding, photo["photo_id"])
    folder = backend.parts.settings.patrol_pictures_dir
    file = folder / photo["sha256"][:2] / photo["sha256"]

    backend.clock.advance(3 * YEAR)
    make_retention(backend.parts).look()
    assert file.is_file()  # it is not settled
    inspectors.ask("regulator", "POST", f"/findings/{finding['finding_id']}/settle", json={"accepted": True})
    hold = {"kind": "premises", "premises_id": 1, "reason": "12315 投诉"}
    span = {"since_at": NOON.isoformat(), "until_at": (NOON + timedelta(days=1)).isoformat()}
    held = inspectors.browser("regulator").post("/api/v1/holds", json=hold | span)
    assert held.status_code == 201, held.text
    backend.clock.advance(3 * YEAR)
    make_retention(backend.parts).look()
    assert file.is_file()  # it is held
    with backend.parts.database.write() as session:
        session.scalars(select(HoldRow)).one().lifted_at = backend.clock.now()
    backend.clock.advance(timedelta(days=1))
    make_retention(backend.parts).look()
    assert not file.is_file()
    with backend.parts.database.read() as session:
        gone = session.scalars(select(DeletionRow).order_by(DeletionRow.id)).all()
    kinds = [one.kind for one in gone if one.kind is not DeletedKind.AUDIT]
    assert kinds == [DeletedKind.PATROL_PICTURE, DeletedKind.FINDING_PHOTO]
    assert inspectors.browser("regulator").get(photo["url"]).status_code == 404
