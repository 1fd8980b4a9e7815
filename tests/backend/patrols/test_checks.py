"""A check from the queue to the settled finding: who may do and see what, and what is written down."""

from __future__ import annotations

import hashlib
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from kitchen_watch.backend.audit.tables import AuditRow
from kitchen_watch.clock import ManualClock
from tests.backend.live.edges import edge_of
from tests.backend.patrols.inspectors import Inspectors, good_answers
from tests.backend.support import NOON, Backend, running

DAY = timedelta(days=1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def inspectors(tmp_path: Path, clock: ManualClock, database_settings: dict[str, Any]) -> Any:
    with running(
        tmp_path, clock=clock, session_idle=30 * DAY, session_lifetime=60 * DAY, **database_settings
    ) as one:
        yield Inspectors(one)


@pytest.fixture
def on_sqlite(tmp_path: Path, clock: ManualClock) -> Any:
    with running(tmp_path, clock=clock, session_idle=30 * DAY, session_lifetime=60 * DAY) as one:
        yield Inspectors(one)


def audited(backend: Backend, action: str) -> list[AuditRow]:
    with backend.parts.database.read() as session:
        return list(session.scalars(select(AuditRow).where(AuditRow.action == action).order_by(AuditRow.id)))


def test_one_patrol_from_the_queue_to_the_settled_finding(inspectors: Inspectors, clock: ManualClock) -> None:
    queue = inspectors.ask("regulator", "GET", "/queue")
    assert [one["premises"]["name"] for one in queue["items"]] == [
        "甲饭店",
        "乙饭店",
    ]  # grid 1, nobody else's
    check = inspectors.next()
    assert (check["premises"]["name"], check["state"], check["mine"]) == ("甲饭店", "open", True)
    assert inspectors.next()["check_id"] == check["check_id"]  # asked again: the same one
    where = f"/{check['check_id']}"

    draft = {"version": check["version"], "answers": {"hats": {"value": "no", "note": "帮厨未戴帽"}}}
    check = inspectors.ask("regulator", "PUT", where, json=draft)
    codes = {one["item"]: one["code"] for one in check["problems"]}
    assert (codes["hats"], codes["masks"]) == ("photo_missing", "missing")
    whole = {"version": check["version"], "answers": good_answers(check) | draft["answers"]}
    refused = inspectors.ask("regulator", "POST", f"{where}/complete", 422, json=whole)
    assert refused["fields"] == [
        {"field": "answers.hats", "problem": "What is not in order needs a picture."}
    ]

    inspectors.photo(check, "hats", seed=1)
    clock.advance(timedelta(minutes=20))
    whole["findings"] = [{"item": "hats", "text": "组织培训", "due_on": "2026-03-05"}, {"text": "地砖破损"}]
    done = inspectors.ask("regulator", "POST", f"{where}/complete", json=whole)
    assert (done["state"], done["findings"], done["findings_open"]) == ("completed", 2, 2)
    first, other = done["finding_list"]
    assert (first["value"], first["text"], first["due_at"]) == ("no", "组织培训", "2026-03-05T15:59:59Z")
    assert (other["item"], other["due_at"]) == (
        "",
        "2026-03-09T15:59:59Z",
    )  # a week where nobody says otherwise
    inspectors.ask("regulator", "POST", f"{where}/complete", 409, json=whole | {"version": done["version"]})

    seen = inspectors.ask("manager_a", "GET", where)
    assert seen["finding_list"][0]["waits_for"] == "premises"
    picture = inspectors.browser("manager_a").get(seen["pictures"][0]["url"])
    assert hashlib.sha256(picture.content).hexdigest() == seen["pictures"][0]["sha256"]
    said = f"/findings/{first['finding_id']}"
    inspectors.ask("regulator", "POST", f"{said}/answer", 403, json={"text": "done"})
    inspectors.ask("manager_b", "POST", f"{said}/answer", 404, json={"text": "done"})
    inspectors.ask("manager_a", "POST", f"{said}/answer", json={"text": "已培训"})
    inspectors.ask(
        "manager_a", "POST", f"{said}/answer", 409, json={"text": "已培训"}
    )  # it waits for the officer
    returned = inspectors.ask(
        "regulator", "POST", f"{said}/settle", json={"accepted": False, "note": "附名单"}
    )
    assert returned["finding_list"][0]["waits_for"] == "premises"
    inspectors.ask("manager_a", "POST", f"{said}/answer", json={"text": "名单见附件"})
    settled = inspectors.ask("regulator", "POST", f"{said}/settle", json={"accepted": True})
    assert (settled["finding_list"][0]["waits_for"], settled["findings_open"]) == ("nobody", 1)
    assert [one["text"] for one in settled["finding_list"][0]["rounds"]] == ["已培训", "名单见附件"]

    assert inspectors.next()["premises"]["name"] == "乙饭店"
    steps = ("patrol_started", "patrol_completed", "finding_answered", "finding_returned", "finding_settled")
    assert [len(audited(inspectors.backend, one)) for one in steps] == [2, 1, 2, 1, 1]


def test_two_officers_at_once_never_get_the_same_premises(inspectors: Inspectors) -> None:
    names, got = ("regulator", "supervisor", "admin"), []
    browsers = [inspectors.browser(name) for name in names]
    threads = [
        threading.Thread(
            target=lambda one=browser: got.append(one.post("/api/v1/patrols/next", json={"kind": "patrol"}))
        )
        for browser in browsers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.status_code for one in got] == [201, 201, 201] or {one.status_code for one in got} == {
        201,
        404,
    }
    premises = [one.json()["premises"]["id"] for one in got if one.status_code == 201]
    assert len(premises) == len(set(premises)) >= 2


def test_what_is_not_done_in_time_goes_back_to_the_queue(on_sqlite: Inspectors, clock: ManualClock) -> None:
    check = on_sqlite.next()
    clock.advance(timedelta(hours=2))
    assert on_sqlite.ask("regulator", "GET", f"/{check['check_id']}")["state"] == "lapsed"
    draft = {"version": check["version"], "answers": {"hats": {"value": "yes"}}}
    kept = on_sqlite.ask("regulator", "PUT", f"/{check['check_id']}", json=draft)
    assert kept["state"] == "open"  # nobody else has it: what was written is not lost
    clock.advance(timedelta(hours=3))
    taken = on_sqlite.next("official_a")
    assert taken["premises"]["id"] == check["premises"]["id"]
    late = on_sqlite.ask(
        "regulator", "PUT", f"/{check['check_id']}", 409, json=draft | {"version": kept["version"]}
    )
    assert "somebody else has taken the premises" in late["detail"]


def test_a_restaurant_knows_of_announced_plans_only(on_sqlite: Inspectors, clock: ManualClock) -> None:
    soon = (NOON + DAY).isoformat()
    secret = on_sqlite.check(1, reason="complaint", planned_at=soon)
    assert on_sqlite.ask("manager_a", "GET", "")["items"] == []
    on_sqlite.ask("manager_a", "GET", f"/{secret['check_id']}", 404)
    on_sqlite.ask(
        "regulator", "POST", f"/{secret['check_id']}/complete", 409, json={"version": 1, "answers": {}}
    )
    on_sqlite.ask("regulator", "POST", "", 409, json={"premises_id": 1, "kind": "on_site"})  # it is taken
    gone = {"version": secret["version"], "note": "改为预告检查"}
    on_sqlite.ask("regulator", "POST", f"/{secret['check_id']}/withdraw", json=gone)
    told = on_sqlite.check(1, announced=True, planned_at=soon, reason="complaint")
    draft = {"version": 1, "answers": {"remarks": {"value": "秘"}}}
    on_sqlite.ask("regulator", "PUT", f"/{told['check_id']}", json=draft)
    (seen,) = on_sqlite.ask("manager_a", "GET", "")["items"]
    assert (seen["check_id"], seen["announced"], seen["planned_at"]) == (
        told["check_id"],
        True,
        "2026-03-03T04:00:00Z",
    )
    assert (
        on_sqlite.ask("manager_a", "GET", f"/{told['check_id']}")["answers"] == {}
    )  # notes are not theirs yet
    assert seen["reason"] == "other"  # that somebody complained is not theirs to know
    assert on_sqlite.ask("manager_b", "GET", "")["items"] == []
    for path in ("/queue", "/sweep", "/absences"):
        on_sqlite.ask("manager_a", "GET", path, 403)


def test_a_used_photo_a_strange_item_and_somebody_elses_check_are_refused(on_sqlite: Inspectors) -> None:
    one = on_sqlite.check(1)
    on_sqlite.photo(one, "pests", seed=3)
    same = on_sqlite.photo(one, "pests", seed=3)
    assert len(on_sqlite.ask("regulator", "GET", f"/{one['check_id']}")["pictures"]) == 1, same
    on_sqlite.photo(one, "colours", seed=4, status=422)
    on_sqlite.photo(one, "pests", seed=5, name="supervisor", status=403)
    on_sqlite.photo(one, "pests", seed=5, name="regulator2", status=404)
    taken_out = on_sqlite.ask("regulator", "DELETE", f"/{one['check_id']}/pictures/{same['picture_id']}")
    assert taken_out["pictures"] == []
    on_sqlite.photo(one, "pests", seed=3)
    on_sqlite.done(
        on_sqlite.ask("regulator", "GET", f"/{one['check_id']}"), answers={"pests": {"value": "no"}}
    )
    again = on_sqlite.check(1)
    refused = on_sqlite.photo(again, "pests", seed=3, status=422)
    assert "used before" in refused["detail"]


def test_a_rapid_test_over_its_limit_is_a_finding_with_its_value(on_sqlite: Inspectors) -> None:
    check = on_sqlite.check(1)
    on_sqlite.photo(check, "polar_compounds", seed=8)
    check = on_sqlite.ask("regulator", "GET", f"/{check['check_id']}")
    done = on_sqlite.done(
        check, answers={"polar_compounds": {"value": 31.5}, "pesticide": {"value": "negative"}}
    )
    assert [(one["item"], one["value"]) for one in done["finding_list"]] == [("polar_compounds", "31.5 %")]
    assert (done["items"], done["answered"]) == (26, 18)


def test_a_snapshot_of_the_live_camera_is_evidence_of_the_check(on_sqlite: Inspectors) -> None:
    check = on_sqlite.next()
    where = f"/{check['check_id']}/snapshots"
    with edge_of(on_sqlite.backend):
        taken = on_sqlite.ask("regulator", "POST", where, 201, json={"camera_id": "cam-a1", "item": "hats"})
    assert (taken["source"], taken["camera_id"]) == ("snapshot", "cam-a1")
    content = on_sqlite.browser("regulator").get(taken["url"]).content
    (row,) = audited(on_sqlite.backend, "live_snapshot_taken")
    assert row.facts["sha256"] == hashlib.sha256(content).hexdigest() == taken["sha256"]
    assert row.purpose == f"patrol {check['check_id']}"
    foreign = on_sqlite.ask("regulator", "POST", where, 409, json={"camera_id": "cam-b1"})
    assert "does not belong" in foreign["detail"]
    on_sqlite.ask(
        "regulator", "POST", where, 409, json={"camera_id": "cam-a2", "item": "hats"}
    )  # its edge is away
    seen = on_sqlite.done(check, answers={"hats": {"value": "no"}})
    assert [one["item"] for one in seen["pictures"]] == ["hats"]


def test_a_list_is_filtered(on_sqlite: Inspectors, clock: ManualClock) -> None:
    on_sqlite.done(on_sqlite.check(1, "supervisor"), "supervisor")
    clock.advance(DAY)
    on_sqlite.check(2, "supervisor")

    def found(**query: Any) -> list[str]:
        return [
            one["premises"]["name"] for one in on_sqlite.ask("supervisor", "GET", "", params=query)["items"]
        ]

    assert found() == ["乙饭店", "甲饭店"]
    assert found(state="completed") == ["甲饭店"]
    assert found(premises_id=2) == ["乙饭店"]
    assert found(finished_from=(NOON + DAY).isoformat()) == []
    assert found(with_findings=True) == found(unsettled=True) == []
    assert found(limit=1) == ["乙饭店"]
    on_sqlite.ask("supervisor", "GET", "", 422, params={"colour": "red"})


def test_a_check_is_planned_a_year_ahead_at_most(on_sqlite: Inspectors) -> None:
    for planned_at, status in (
        ("9999-12-31T23:00:00Z", 422), ((NOON + 367 * DAY).isoformat(), 422),
        ((NOON + 365 * DAY).isoformat(), 201),
    ):  # fmt: skip
        body = {"premises_id": 1, "kind": "on_site", "planned_at": planned_at}
        on_sqlite.ask("regulator", "POST", "", status, json=body)
