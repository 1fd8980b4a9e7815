"""The pages of patrols without a script: every act is a form, what was written is never lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from kitchen_watch.backend.auth.tables import PersonRow
from tests.backend.handling.test_case import picture
from tests.backend.patrols.inspectors import Inspectors, good_answers
from tests.backend.support import running


@pytest.fixture(scope="module")
def inspectors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inspectors]:
    with running(tmp_path_factory.mktemp("patrols")) as one:
        yield Inspectors(one)


def send(inspectors: Inspectors, name: str, path: str, **fields: Any) -> httpx.Response:
    browser = inspectors.browser(name)
    return browser.post(f"/patrols{path}", data={"csrf_token": browser.headers["x-csrf-token"], **fields})


def test_a_patrol_is_taken_filled_refused_handed_in_and_answered(inspectors: Inspectors) -> None:
    taken = send(inspectors, "regulator", "/start", kind="patrol")
    assert taken.status_code == 303
    where = taken.headers["location"].removeprefix("/patrols")
    check = inspectors.ask("regulator", "GET", where)
    page = inspectors.browser("regulator").get(f"/patrols{where}").text
    assert f'data-purpose="patrol {check["check_id"]}"' in page  # every view of a camera carries it
    answers = {f"a.{key}": one["value"] for key, one in good_answers(check).items()}
    answers |= {"a.bins": "no", "n.bins": "垃圾桶无盖", "d.bins": "2026-03-04", "version": check["version"]}

    wrong = send(inspectors, "regulator", f"{where}/form", complete="1", **answers | {"a.fire": "perhaps"})
    assert wrong.status_code == 422
    assert "请选择表中的一个选项" in wrong.text
    assert "垃圾桶无盖" in wrong.text  # what was written stays
    kept = send(inspectors, "regulator", f"{where}/form", keep="1", **answers)
    assert kept.status_code == 303
    version = inspectors.ask("regulator", "GET", where)["version"]
    stale = send(inspectors, "regulator", f"{where}/form", complete="1", **answers)
    assert (stale.status_code, "已被改动" in stale.text) == (409, True)
    done = send(inspectors, "regulator", f"{where}/form", complete="1", **answers | {"version": version})
    assert done.status_code == 303, done.text

    (found,) = inspectors.ask("regulator", "GET", where)["finding_list"]
    assert (found["text"], found["due_at"]) == ("垃圾桶无盖", "2026-03-04T15:59:59Z")
    assert "垃圾桶无盖" in inspectors.browser("manager_a").get(f"/patrols{where}").text
    finding = f"{where}/findings/{found['finding_id']}"
    assert send(inspectors, "manager_a", f"{finding}/answer", text="已配盖").status_code == 303
    assert "已配盖" in inspectors.browser("regulator").get(f"/patrols{where}").text
    assert send(inspectors, "regulator", f"{finding}/settle", accepted="true").status_code == 303
    assert inspectors.ask("regulator", "GET", where)["findings_open"] == 0


def test_a_draft_kept_by_the_script_tells_its_next_version(inspectors: Inspectors) -> None:
    check = inspectors.check(2)
    where = f"/{check['check_id']}"
    kept = send(
        inspectors, "regulator", f"{where}/draft", version=1, **{"a.pests": "no", "a.cold_storage": "4,5"}
    )
    assert kept.json() == {"version": 2, "answered": 2, "items": 26}
    assert inspectors.ask("regulator", "GET", where)["answers"]["cold_storage"]["value"] == 4.5
    refused = send(inspectors, "regulator", f"{where}/draft", version=2, **{"a.cold_storage": "cold"})
    assert refused.status_code == 422
    assert "填写有误" in refused.json()["problem"]
    tray = inspectors.browser("regulator").post(f"/patrols{where}/photos?item=pests", content=picture(3))
    assert (tray.status_code, tray.text.count("<img")) == (200, 1)
    away = inspectors.browser("regulator").post(f"/patrols{where}/snapshots?item=pests&camera_id=cam-b1")
    assert (away.status_code, away.headers["content-type"]) == (409, "application/json")  # its edge is away
    picture_id = inspectors.ask("regulator", "GET", where)["pictures"][0]["picture_id"]
    left = inspectors.browser("regulator").post(f"/patrols{where}/pictures/{picture_id}/remove?item=pests")
    assert (left.status_code, left.text.count("<img")) == (200, 0)
    gone = send(inspectors, "regulator", f"{where}/withdraw", version=2, text="停业")
    assert (gone.status_code, gone.headers["location"]) == (303, "/patrols")


def test_pages_are_for_those_who_may_see_them(inspectors: Inspectors) -> None:
    odd = "state=nonsense&from=0001-01-01&to=9999-12-31&node_id=9&after=99999999999999999999"
    for path in ("/patrols", f"/patrols/checks?{odd}"):
        for name in ("regulator", "manager_a", "official_a", "admin"):
            assert inspectors.browser(name).get(path).status_code == 200, (name, path)
    assert inspectors.browser("manager_a").get("/patrols/sweep").status_code == 403
    assert inspectors.browser("supervisor").get("/patrols/sweep").status_code == 200
    assert inspectors.browser("manager_c").get("/patrols/1").status_code == 404


def test_an_officer_who_goes_is_entered_and_taken_out_on_the_page(inspectors: Inspectors) -> None:
    with inspectors.backend.parts.database.read() as session:
        who = session.scalars(select(PersonRow.id).where(PersonRow.username == "regulator2")).one()
    gone = send(inspectors, "supervisor", "/absences", person_id=who, since="2026-03-02", until="")
    assert gone.status_code == 303
    page = inspectors.browser("supervisor").get("/patrols/sweep").text
    assert "测试 regulator2" in page
    (away,) = inspectors.ask("supervisor", "GET", "/absences")["items"]
    assert (away["since_at"], away["until_at"]) == ("2026-03-01T16:00:00Z", None)
    nonsense = send(inspectors, "supervisor", "/absences", person_id=who, since="soon")
    assert nonsense.status_code == 422
    assert send(inspectors, "regulator", "/absences", person_id=who, since="2026-03-02").status_code == 404
    assert send(inspectors, "supervisor", f"/absences/{away['id']}/end").status_code == 303
    assert inspectors.ask("supervisor", "GET", "/absences")["items"] == []
