"""An administrator changes a check form and the rules of the sweep on their pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from kitchen_watch.backend.forms.content import Choice, FormContent, FormKind, Item, ItemKind, Section
from kitchen_watch.backend.pages.check_form_editing import content_of_fields
from kitchen_watch.backend.pages.check_form_routes import ITEM_KINDS
from kitchen_watch.backend.pages.patrol_words import KINDS
from tests.backend.retention.nights import QUIET
from tests.backend.support import Backend, running

CHINESE = {"accept-language": "zh"}


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    directory: Path = tmp_path_factory.mktemp("forms")
    with running(directory, **QUIET) as backend:
        yield backend


def token(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return found.group(1)


def fields_of(page: str) -> dict[str, str]:
    """The editor's fields as a browser would send them back."""
    form = page.split('class="check-form-editor', 1)[1].split("</form>", 1)[0]
    fields = {}
    for tag in re.findall(r"<input[^>]*>", form):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if attributes.get("type") != "checkbox":
            fields[attributes["name"]] = unescape(attributes.get("value", ""))
        elif re.search(r"\schecked\b", tag):
            fields[attributes["name"]] = "on"
    for name, options in re.findall(r'<select[^>]*name="([^"]+)">(.*?)</select>', form, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
        assert chosen
        fields[name] = chosen.group(1)
    for name, text in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.S):
        fields[name] = unescape(text)
    return fields


def form(admin: httpx.Client, kind: str = "on_site") -> dict[str, Any]:
    items = admin.get("/api/v1/check-forms", params={"kind": kind}).json()["items"]
    found: dict[str, Any] = admin.get(f"/api/v1/check-forms/{items[0]['id']}").json()
    return found


def test_every_form_comes_back_from_its_page_as_it_was(district: Backend) -> None:
    admin = district.logged_in("admin")
    forms = admin.get("/api/v1/check-forms").json()["items"]
    assert "检查表" in admin.get("/administration/check-forms", headers=CHINESE).text
    for one in forms:
        whole = admin.get(f"/api/v1/check-forms/{one['id']}").json()
        page = admin.get(f"/administration/check-forms/{one['id']}").text
        before = FormContent.model_validate(whole["content"])
        assert content_of_fields(fields_of(page), before) == before, one["code"]


def test_an_item_is_added_one_made_mandatory_and_one_taken_out(district: Backend) -> None:
    admin = district.logged_in("admin")
    before = form(admin)
    path = f"/administration/check-forms/{before['id']}"
    page = admin.get(path).text
    fields = fields_of(page)
    count = len(before["content"]["sections"][0]["items"])
    assert count > 1
    fields |= {
        f"0-{count}-name": "农药残留快检", f"0-{count}-kind": "number", f"0-{count}-unit": "%",
        f"0-{count}-maximum": "50", f"0-{count}-required": "on", f"0-{count}-photo": "on",
        "0-0-out": "on", "note": "增加快检", "csrf_token": token(page),
    }  # fmt: skip
    assert admin.post(path, data=fields).status_code == 303
    after = form(admin)
    assert after["version"] == before["version"] + 1
    items = after["content"]["sections"][0]["items"]
    assert [one["key"] for one in items] == [
        *[one["key"] for one in before["content"]["sections"][0]["items"][1:]], "item_1",
    ]  # fmt: skip
    assert (items[-1]["maximum"], items[-1]["required"], items[-1]["photo_if_bad"]) == (50, True, True)
    assert "增加快检" in admin.get(path).text
    assert admin.post(path, data=fields).status_code == 422, "a stale page publishes nothing"
    assert form(admin)["version"] == after["version"]


def test_an_item_and_a_section_are_moved_with_everything_typed_and_the_order_is_published(
    district: Backend,
) -> None:
    admin = district.logged_in("admin")
    before = form(admin, "on_site")
    path = f"/administration/check-forms/{before['id']}"
    page = admin.get(path, headers=CHINESE).text
    sections = before["content"]["sections"]
    assert len(sections) > 1
    last = len(sections[0]["items"]) - 1
    assert page.count('value="0-0-up" formnovalidate aria-label="上移：') == 1
    fields = fields_of(page) | {"csrf_token": token(page), "0-1-name": "改过的名称"}

    moved = admin.post(path, data=fields | {"move": "0-1-up"}, headers=CHINESE)
    assert (moved.status_code, "发布后生效" in moved.text) == (200, True)
    assert form(admin, "on_site")["version"] == before["version"]  # nothing is published yet
    (focused,) = re.findall(r'<button[^>]*value="([^"]*)"[^>]* autofocus>', moved.text)
    assert focused == "0-0-down"  # at the top there is no further up
    fields = fields_of(moved.text) | {"csrf_token": token(page)}
    moved = admin.post(path, data=fields | {"move": "0-down"})
    for nowhere in (
        "0-up",
        "9-9-up",
        "x",
        f"{'9' * 5000}-up",
        f"{len(sections)}-down",
    ):  # an end, or none of the page's buttons
        fields = fields_of(moved.text) | {"csrf_token": token(page)}
        moved = admin.post(path, data=fields | {"move": nowhere})
        assert moved.status_code == 200
    assert admin.post(path, data=fields_of(moved.text) | {"csrf_token": token(page)}).status_code == 303

    after = form(admin, "on_site")
    keys = [[item["key"] for item in one["items"]] for one in sections]
    first = [keys[0][1], keys[0][0], *keys[0][2:]]
    assert len(first) == last + 1
    found = [[item["key"] for item in one["items"]] for one in after["content"]["sections"]]
    assert found == [keys[1], first, *keys[2:]]
    assert after["content"]["sections"][1]["items"][0]["name"] == "改过的名称"
    assert after["version"] == before["version"] + 1


def test_what_is_no_possible_form_is_said_and_nothing_typed_is_lost(district: Backend) -> None:
    admin = district.logged_in("admin")
    before = form(admin, "patrol")
    path = f"/administration/check-forms/{before['id']}"
    page = admin.get(path, headers=CHINESE).text
    fields = fields_of(page) | {"0-0-kind": "choice", "0-0-choices": "只有一个", "csrf_token": token(page)}
    answer = admin.post(path, data=fields, headers=CHINESE)
    assert answer.status_code == 422
    assert "尚未发布" in answer.text
    assert "只有一个" in answer.text
    assert form(admin, "patrol")["version"] == before["version"]


def test_a_new_form_begins_as_a_copy_and_can_be_taken_out_of_use(district: Backend) -> None:
    admin = district.logged_in("admin")
    like = form(admin)
    page = admin.get("/administration/check-forms").text
    body = {"name": "食堂现场检查", "code": "canteen", "like": str(like["id"]), "csrf_token": token(page)}
    made = admin.post("/administration/check-forms", data=body)
    assert made.status_code == 303
    assert admin.post("/administration/check-forms", data=body).status_code == 422, "its code is taken"
    path = made.headers["location"]
    assert admin.post(f"{path}/retirement", data=body).status_code == 303
    assert "已停用" in admin.get(path, headers=CHINESE).text
    assert district.logged_in("regulator").get("/administration/check-forms").status_code == 403


def test_choices_keep_their_keys_whatever_is_added_beside_them() -> None:
    choices = (Choice(key="clean", name="干净"), Choice(key="dirty", name="脏", name_en="Dirty", good=False))
    item = Item(key="floor", name="地面", kind=ItemKind.CHOICE, choices=choices)
    before = FormContent(name="表", sections=(Section(key="s", name="一", items=(item,)),))
    fields = {
        "name": "表", "0-key": "s", "0-name": "一", "0-0-key": "floor", "0-0-name": "地面",
        "0-0-kind": "choice", "0-0-choices": "干净\n一般\n!脏 / Dirty",
    }  # fmt: skip
    made = content_of_fields(fields, before).sections[0].items[0].choices
    assert [(one.key, one.good) for one in made] == [("clean", True), ("choice_2", True), ("dirty", False)]


def test_a_supervisor_sets_how_often_by_risk_and_a_grid_officer_does_not(district: Backend) -> None:
    supervisor = district.logged_in("admin")
    page = supervisor.get("/patrols/rules", headers=CHINESE).text
    assert "系统默认规则" in page
    node = re.search(r'name="node" value="(\d+)"', page)
    assert node
    body = {
        "node": node.group(1), "period_days": "30", "a": "1", "b": "1", "c": "2", "d": "4",
        "csrf_token": token(page),
    }  # fmt: skip
    assert supervisor.post("/patrols/rules", data=body | {"d": "x"}).status_code == 422
    assert supervisor.post("/patrols/rules", data=body | {"period_days": "2"}).status_code == 422
    assert supervisor.post("/patrols/rules", data=body).status_code == 303
    rules = supervisor.get(f"/api/v1/patrols/rules/{node.group(1)}").json()
    assert (rules["period_days"], rules["looks"]["D"], rules["version"]) == (30, 4, 1)
    assert supervisor.post("/patrols/rules", data=body).status_code == 422, "somebody was faster"
    assert district.logged_in("regulator").get("/patrols/rules").status_code == 403
    assert "/patrols/rules" not in district.logged_in("regulator").get("/patrols").text


def test_every_kind_has_words() -> None:
    assert set(KINDS) == set(FormKind)
    assert set(ITEM_KINDS) == {one.value for one in ItemKind}
