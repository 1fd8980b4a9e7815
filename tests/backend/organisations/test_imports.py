"""A file is previewed with every bad cell in words, and applied whole or not at all."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.organisations.columns import COLUMNS, ImportKind
from tests.backend.organisations.test_administration import grids, people, premises
from tests.backend.support import Backend

HEAD = "许可证号,名称,网格编码,营业时间,量化等级,电话\n"


def send(browser: httpx.Client, kind: str, text: str, encoding: str = "gbk") -> dict[str, Any]:
    answer = browser.post(f"/api/v1/imports/{kind}", content=text.encode(encoding), params={"name": "表.csv"})
    assert answer.status_code == 200, answer.text
    preview: dict[str, Any] = answer.json()
    return preview


def apply(browser: httpx.Client, preview: dict[str, Any]) -> httpx.Response:
    return browser.post(f"/api/v1/imports/{preview['import_id']}/apply")


def test_a_good_file_does_what_its_preview_says(any_backend: Backend) -> None:
    admin = any_backend.logged_in("admin")
    text = HEAD + "JY-A,甲饭店改名,grid-1,每天 10:00-22:00,B,=1+1\nJY-NEW,新饭店,grid-2,,,\n"
    preview = send(admin, "premises", text)
    assert (preview["new"], preview["changed"], preview["problems"]) == (1, 1, [])
    assert set(premises(admin)) == {"JY-A", "JY-B", "JY-C"}, "a preview changes nothing"
    done = apply(admin, preview)
    assert done.status_code == 200, done.text
    shown = premises(admin)
    assert shown["JY-NEW"]["node_id"] == grids(admin)["grid-2"]["id"]
    assert (shown["JY-A"]["name"], shown["JY-A"]["inspection_grade"]) == ("甲饭店改名", "B")
    assert shown["JY-A"]["responsible_person"] == "甲老板", "columns that are not there stay"
    assert apply(admin, preview).status_code == 404, "it is done once"


def test_every_bad_cell_is_told_and_nothing_is_applied(any_backend: Backend) -> None:
    admin = any_backend.logged_in("admin")
    before = premises(admin)
    text = HEAD + (
        "JY-N1,好饭店,grid-1,,,\n"
        ",无证,grid-1,,,\n"
        "JY-N2,错网格,grid-77,,,\n"
        "JY-N3,非末级,station-1,,,\n"
        "JY-N1,重复,grid-1,,,\n"
        "JY-N4,时间错,grid-1,10点开门,,\n"
        "JY-N5,等级错,grid-1,,D,\n"
        "9.16E+14,科学计数,grid-1,,,\n"
    )
    preview = send(admin, "premises", text)
    told = {(item["row"], item["column"]): item["code"] for item in preview["problems"]}
    assert told == {
        (3, "licence_no"): "empty",
        (4, "grid_code"): "nowhere",
        (5, "grid_code"): "no_leaf",
        (6, "licence_no"): "twice",
        (7, "hours"): "bad_hours",
        (8, "inspection_grade"): "bad_value",
        (9, "licence_no"): "rounded",
    }
    assert all(item["sentence"] and "%(" not in item["sentence"] for item in preview["problems"])
    assert apply(admin, preview).status_code == 422
    assert premises(admin) == before


def test_what_became_wrong_after_the_preview_changes_nothing(any_backend: Backend) -> None:
    admin = any_backend.logged_in("admin")
    preview = send(admin, "premises", HEAD + "JY-N1,一,grid-1,,,\nJY-N2,二,grid-2,,,\n")
    taken = {"licence_no": "JY-N9", "name": "九", "node_id": grids(admin)["grid-2"]["id"]}
    assert admin.post("/api/v1/premises", json=taken).status_code == 201
    tree = grids(admin)
    node = tree["grid-2"]
    renamed = {"code": "grid-2x", "kind": "grid", "name": node["name"], "parent_id": node["parent_id"],
               "version": node["version"]}  # fmt: skip
    assert admin.put(f"/api/v1/grids/{node['id']}", json=renamed).status_code == 200
    before = premises(admin)
    assert apply(admin, preview).status_code == 422
    assert premises(admin) == before


def test_a_tree_comes_in_any_order_and_people_with_their_passwords(any_backend: Backend) -> None:
    admin = any_backend.logged_in("admin")
    text = "编码,层级,名称,上级编码\ng-3,网格,三号,s-3\ns-3,所,三所,d-3\nd-3,区县,三区,city\n"
    assert apply(admin, send(admin, "grids", text)).json()["new"] == 3
    tree = grids(admin)
    assert tree["g-3"]["path"].startswith(tree["d-3"]["path"])
    text = "登录名,姓名,角色,辖区编码\nli.si,李四,网格员,g-3\nbad,坏,网格员,\n"
    preview = send(admin, "people", text)
    assert [(item["row"], item["code"]) for item in preview["problems"]] == [(3, "wrong_place")]
    done = apply(admin, send(admin, "people", text.rsplit("bad", 1)[0]))
    assert any_backend.log_in("li.si", done.json()["passwords"]["li.si"])
    cameras = "摄像头编号,许可证号,边缘节点,名称,区域类型,公开\ncam-x,JY-A,edge-1,切配,柜,是\n"
    assert apply(admin, send(admin, "cameras", cameras)).json()["new"] == 1
    assert admin.get("/api/v1/cameras/cam-x").json()["public"] is True


@pytest.mark.parametrize("kind", list(ImportKind))
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_what_is_exported_comes_back_as_it_is(backend: Backend, kind: ImportKind, form: str) -> None:
    admin = backend.logged_in("admin")
    assert apply(
        admin, send(admin, "tasks", "编号,上级编号,任务,责任单位编码\n1,,甲,\n1.1,1,乙,grid-1\n")
    ).is_success
    file = admin.get(f"/api/v1/exports/{kind}", params={"format": form})
    assert file.status_code == 200
    preview = admin.post(f"/api/v1/imports/{kind}", content=file.content).json()
    assert preview["problems"] == []
    assert (preview["new"], preview["changed"]) == (0, 0)
    assert preview["same"] == preview["rows"] > 0


def test_a_template_has_every_column(backend: Backend) -> None:
    admin = backend.logged_in("admin")
    for kind in ImportKind:
        file = admin.get(f"/api/v1/templates/{kind}", params={"format": "csv"})
        header = file.content.decode("utf-8-sig").strip().split(",")
        assert len(header) == len(COLUMNS[kind])
        preview = admin.post(f"/api/v1/imports/{kind}", content=file.content).json()
        assert (preview["rows"], preview["problems"]) == (0, [])


def test_an_export_holds_the_own_scope_only_and_is_written_down(backend: Backend) -> None:
    officer = backend.logged_in("regulator2")
    text = officer.get("/api/v1/exports/premises", params={"format": "csv"}).content.decode("utf-8-sig")
    assert "JY-C" in text
    assert "JY-A" not in text
    assert officer.get("/api/v1/exports/people").status_code == 403
    log = backend.logged_in("admin").get("/api/v1/audit", params={"action": "organisation_exported"})
    assert log.json()["items"][0]["username"] == "regulator2"


def test_an_import_belongs_to_who_sent_it(backend: Backend) -> None:
    admin = backend.logged_in("admin")
    second = {"username": "admin2", "display_name": "二管", "role": "admin"}
    assert admin.post("/api/v1/people", json=second).status_code == 201
    assert "admin2" in people(admin)
    preview = send(admin, "premises", HEAD + "JY-N1,一,grid-1,,,\n")
    with backend.parts.database.write() as session:
        row = session.get_one(PersonRow, people(admin)["admin2"]["id"])
        row.must_change_password = False
    other = backend.logged_in("admin2")
    assert other.get(f"/api/v1/imports/{preview['import_id']}").status_code == 404
    assert apply(other, preview).status_code == 404
