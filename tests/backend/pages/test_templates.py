"""Every page, in both languages: sound markup, no inline code, hostile names harmless."""

from __future__ import annotations

import re

import pytest

from kitchen_watch.backend.pages.rendering import STATIC, TEMPLATES, render, static_url, static_version
from tests.backend.pages import samples
from tests.backend.pages.archive_samples import archive_pages
from tests.backend.pages.campaign_samples import campaign_pages
from tests.backend.pages.complaint_samples import complaint_pages
from tests.backend.pages.markup import Element, Markup, read
from tests.backend.pages.patrol_samples import patrol_pages, patrol_parts
from tests.backend.pages.rating_samples import Pages, rating_pages
from tests.backend.pages.self_check_samples import self_check_pages
from tests.backend.pages.task_samples import task_pages


def every_page(name: str = "甲饭店") -> Pages:
    return {
        **samples.every_page(name),
        **rating_pages(name),
        **self_check_pages(name),
        **campaign_pages(name),
        **archive_pages(name),
        **patrol_pages(name),
        **complaint_pages(name),
        **task_pages(name),
    }


PAGES = list(every_page())
PARTS = [*samples.every_part(), *patrol_parts()]
HOSTILE = "<script>alert('甲')</script>\"' onmouseover=\"x {{ 7*7 }} %(name)s %s & <b>"


LAID_OUT_IN_CHINESE = {"report", "report, damaged", "tonight"}
"""Samples whose document is made outside of the page, in one language."""


def show(page: str, language: str = "zh", *, name: str = "甲饭店", theme: str = "auto") -> str:
    template, person, content = {**every_page(name), **samples.every_part(name), **patrol_parts(name)}[page]
    return render(template, samples.frame(language, person, theme), content)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_sound_html_with_landmarks_and_one_heading(page: str, language: str) -> None:
    markup = read(show(page, language))
    assert markup.problems == []
    assert [element.attributes["lang"] for element in markup.all("html")] == [
        {"zh": "zh-CN", "en": "en"}[language]
    ]
    assert len(markup.all("h1")) == 1
    assert len(markup.all("main")) == 1
    assert markup.all("title")[0].text.strip(" ·")
    assert any(element.attributes.get("href") == "#main" for element in markup.all("a"))
    assert any(element.attributes.get("href") == "/source" for element in markup.all("a"))


@pytest.mark.parametrize("page", PAGES + PARTS)
def test_names_that_outsiders_write_stay_text(page: str) -> None:
    hostile = read(show(page, name=HOSTILE))
    harmless = read(show(page, name="甲饭店"))
    assert hostile.problems == []
    assert shape(hostile) == shape(harmless)
    assert "49" not in hostile.text.replace("0a1b2c3d4e5f", "")


@pytest.mark.parametrize("page", sorted(set(every_page()) - LAID_OUT_IN_CHINESE))
def test_an_english_page_is_english_but_for_what_people_entered(page: str) -> None:
    text = show(page, "en", name="Sample")
    for entered in ("中文", "银川市", "灶", "一", "二"):  # the other language's name, and what samples have
        text = text.replace(f">{entered}<", "><").replace(f"{entered} › ", "").replace(f'="{entered}"', "")
    found = re.findall(r"[^<>\n]*[\u3001-\u303f\u4e00-\u9fff\uff01-\uff5e][^<>\n]*", text)
    assert not found


def shape(markup: Markup) -> list[tuple[str, frozenset[str]]]:
    return [(element.tag, frozenset(element.attributes)) for element in markup.elements]


@pytest.mark.parametrize("page", PAGES)
def test_every_form_that_writes_carries_the_session_token(page: str) -> None:
    html = show(page)
    person = every_page()[page][1]
    for form in re.findall(r"<form method=\"post\".*?</form>", html, re.DOTALL):
        assert person is None or 'name="csrf_token" value="token-1"' in form


def test_static_files_that_templates_name_exist_and_icons_are_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "icons.svg").read_text(encoding="utf-8")))
    for page in PAGES + PARTS:
        html = show(page)
        for name in re.findall(rf"/static/{static_version()}/([\w./-]+)", html):
            assert (STATIC / name).is_file(), name
        assert set(re.findall(r"icons\.svg#([\w-]+)", html)) <= drawn, page


def test_scripts_import_only_files_that_exist_and_nothing_from_elsewhere() -> None:
    for script in (STATIC / "js").glob("*.js"):
        text = script.read_text(encoding="utf-8")
        for name in re.findall(r'from "\./([\w.]+)"', text):
            assert (script.parent / name).is_file(), f"{script.name} imports {name}"
        assert "eval(" not in text
    for file in [*STATIC.rglob("*.css"), *STATIC.rglob("*.js"), *TEMPLATES.rglob("*.html")]:
        assert not re.search(r"https?://(?!www\.w3\.org)", file.read_text(encoding="utf-8")), file.name


def test_address_of_static_files_follows_their_content() -> None:
    assert re.fullmatch(r"/static/[0-9a-f]{12}/favicon\.svg", static_url("favicon.svg"))


def test_theme_is_written_only_when_chosen() -> None:
    assert "data-theme" not in show("feed").split(">", 2)[1]
    assert 'data-theme="dark"' in show("feed", theme="dark").split(">", 2)[1]


def test_a_restaurant_is_offered_only_its_own_pages() -> None:
    links = {element.attributes.get("href") for element in read(show("home")).all("a")}
    assert {"/home", "/alerts", "/cameras"} <= links
    assert not {"/premises", "/edges"} & links


def clips(markup: Markup) -> list[Element]:
    """Players of evidence; that of the live picture is another."""
    return [video for video in markup.all("video") if "data-live-video" not in video.attributes]


def test_clip_on_its_way_becomes_a_player_only_when_complete() -> None:
    waiting, ready = read(show("alert, clip on its way")), read(show("alert"))
    assert clips(waiting) == []
    assert waiting.all("progress")[0].attributes["value"] == "50000"
    assert [video.attributes["src"] for video in clips(ready)] == ["/media/evidence/clip"]


def test_both_clocks_are_told_apart_where_they_differ() -> None:
    assert "设备时钟比服务器慢 4.2 秒" in show("alert")
    assert "device clock 4.2 s behind the server" in show("alert", "en")
    agreeing = render(
        "alert.html",
        samples.frame("en", samples.person()),
        {"alert": samples.alert_page(server_offset_ms=120), **samples.handled()},
    )
    assert "agrees with the server" in agreeing


def test_a_broken_chain_is_seen_already_in_the_feed() -> None:
    broken = samples.alert(evidence_sound=False)
    assert "证据校验不符" in render("card.html", samples.frame(), {"alert": broken})
    assert "证据校验不符" not in show("card")
