"""The pages of complaints and holds as an officer uses them: forms, refusals, and who gets in."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.backend.complaints.test_complaints import premises
from tests.backend.organisations.test_imports import apply, send
from tests.backend.retention.nights import QUIET, evidence
from tests.backend.support import Backend, running


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    with running(tmp_path_factory.mktemp("pages"), **QUIET) as backend:
        evidence(backend, "cam-a1")
        yield backend


def post(browser: httpx.Client, path: str, **fields: str) -> httpx.Response:
    return browser.post(path, data={"csrf_token": browser.headers["x-csrf-token"], **fields})


def test_an_officer_finds_the_premises_files_and_takes_steps(district: Backend) -> None:
    browser = district.logged_in("regulator")
    about = premises(district, "JY-A")
    assert f"/complaints?about={about}#file" in browser.get("/complaints", params={"find": "甲"}).text
    assert "乙饭店" not in browser.get("/complaints", params={"find": "甲"}).text
    fields = {
        "premises_id": str(about), "channel": "12315", "kind": "complaint", "category": "staff",
        "since_at": "2026-03-02T09:00", "until_at": "2026-03-02T11:00", "text": "没有戴帽子",
        "complainant": "李女士",
    }  # fmt: skip
    early = post(browser, "/complaints", **fields | {"until_at": "2026-03-01T11:00"})
    assert early.status_code == 422
    assert "没有戴帽子" in early.text, "what was written is not lost"
    filed = post(browser, "/complaints", **fields)
    assert filed.status_code == 303
    path = filed.headers["location"]
    shown = browser.get(path).text
    assert "李女士" in shown
    assert "/alerts/1" in shown
    assert post(browser, f"{path}/accept", version="1").status_code == 303
    late = post(browser, f"{path}/answer", version="1", text="已核查")
    assert late.status_code == 409
    assert "已核查" in late.text
    assert post(browser, f"{path}/answer", version="2", text="已核查").status_code == 303
    assert re.search(r"/holds/\d+", browser.get(path).text)


def test_a_hold_is_placed_from_its_alert_and_lifted_with_a_reason(district: Backend) -> None:
    browser = district.logged_in("regulator")
    assert "/holds?alert=1" in browser.get("/alerts/1").text
    assert 'value="1"' in browser.get("/holds", params={"alert": 1}).text
    for wrong in ({"kind": "camera", "what": "cam-a1"}, {"kind": "alert", "what": "x"}):
        assert post(browser, "/holds", reason="取证", **wrong).status_code == 422
    placed = post(browser, "/holds", kind="alert", what="1", reason="取证")
    assert placed.status_code == 303
    path = placed.headers["location"]
    assert post(browser, f"{path}/lift", reason=" ").status_code == 422
    assert post(browser, f"{path}/lift", reason="不再需要").status_code == 303
    assert "不再需要" in browser.get(path).text


def test_a_restaurant_gets_none_of_these_pages(district: Backend) -> None:
    browser = district.logged_in("manager_a")
    for path in ("/complaints", "/holds", "/retention"):
        assert browser.get(path).status_code == 403
    assert 'href="/complaints"' not in browser.get("/home").text


def test_what_was_deleted_is_for_everybody_and_the_policy_for_administrators(district: Backend) -> None:
    assert "现行保存期限" not in district.logged_in("regulator").get("/retention").text
    assert "现行保存期限" in district.logged_in("admin").get("/retention", params={"dry": True}).text


def test_a_unit_reports_with_a_file_from_a_phone(district: Backend) -> None:
    admin = district.logged_in("admin")
    done = apply(admin, send(admin, "tasks", "编号,任务,责任单位编码\n1,明厨亮灶全覆盖,grid-1\n"))
    assert done.status_code == 200
    browser = district.logged_in("regulator")
    task = browser.get("/api/v1/tasks").json()["items"][0]["id"]
    unit = browser.get(f"/api/v1/tasks/{task}").json()["units"][0]["id"]
    token = browser.headers["x-csrf-token"]
    fields = {"csrf_token": token, "version": "1", "done": "60", "text": "已接入八家"}
    sent = browser.post(
        f"/tasks/{task}/units/{unit}",
        data=fields,
        files={"file": ("总结.pdf", b"%PDF-1.7", "application/pdf")},
    )
    assert sent.status_code == 303, sent.text
    shown = browser.get(f"/tasks/{task}").text
    assert "已接入八家" in shown
    assert "总结.pdf" in shown
    late = browser.post(f"/tasks/{task}/units/{unit}", data=fields, files={"file": ("", b"")})
    assert late.status_code == 422
