"""Both languages are complete, and no page has a text that is not in a catalogue."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import chain

import jinja2
import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from kitchen_watch.backend.alerts.lifecycle import FalseAlarmReason, Step
from kitchen_watch.backend.alerts.states import AlertState
from kitchen_watch.backend.auth.roles import Role
from kitchen_watch.backend.deadlines.clocks import ClockStep
from kitchen_watch.backend.evidence.tables import LinkState
from kitchen_watch.backend.organisations.tables import AreaType
from kitchen_watch.backend.pages import handling_words, wording
from kitchen_watch.backend.pages.handling_routes import Act
from kitchen_watch.backend.pages.languages import CATALOGUES, catalogue, choose, languages
from kitchen_watch.backend.pages.rendering import HERE, TEMPLATES
from kitchen_watch.control import CameraState
from kitchen_watch.events import EventKind, EvidenceKind

KEYWORDS = {"N_": None, "_": None, "gettext": None, "ngettext": (1, 2)}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")
NOT_LANGUAGE = {"kitchen_watch", "English"}
SPOKEN_ATTRIBUTES = {"aria-label", "title", "alt", "placeholder", "data-label"}


def message_ids() -> set[str | tuple[str, ...]]:
    found = extract_from_dir(
        HERE,
        method_map=[("**.py", "python"), ("templates/**.html", "jinja2")],
        options_map={"templates/**.html": {"silent": "false"}},
        keywords=KEYWORDS,
    )
    return {message for _, _, message, _, _ in found}


def test_every_message_has_a_chinese_text_and_no_text_is_left_over() -> None:
    chinese = {message.id: message for message in catalogue("zh_CN") if message.id}
    assert message_ids() - set(chinese) == set()
    assert set(chinese) - message_ids() == set()
    for message in chinese.values():
        texts = [message.string] if isinstance(message.string, str) else [*(message.string or [""])]
        assert all(texts), message.id
        assert not message.fuzzy, message.id


def test_translations_keep_the_placeholders() -> None:
    for message in catalogue("zh_CN"):
        if not message.id:
            continue
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        texts = [message.string] if isinstance(message.string, str) else [*(message.string or [""])]
        for text in texts:
            assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(ids[-1])), message.id


class _Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.texts += [value for name, value in attrs if name in SPOKEN_ATTRIBUTES and value]


@pytest.mark.parametrize("template", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_templates_have_no_text_of_their_own(template: object) -> None:
    source = (TEMPLATES / str(template)).read_text(encoding="utf-8")
    tokens = jinja2.Environment(extensions=["jinja2.ext.i18n"]).lex(source)
    plain = "".join(text if kind == "data" else "\x00" for _, kind, text in tokens)
    reader = _Texts()
    reader.feed(plain)
    for text in reader.texts:
        words = set(re.findall(r"[^\W\d_]\w+", text)) - NOT_LANGUAGE
        assert not words, f"hard-coded in the template: {text.strip()!r}"


def test_scripts_have_no_chinese_and_leave_words_to_the_page() -> None:
    for script in (HERE / "static" / "js").glob("*.js"):
        assert not re.search(r"[\u4e00-\u9fff]", script.read_text(encoding="utf-8")), script.name


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (AlertState, wording.ALERT_STATES),
        (CameraState, wording.CAMERA_STATES),
        (Role, wording.ROLES),
        (AreaType, wording.AREA_TYPES),
        (LinkState, wording.LINK_STATES),
        (EvidenceKind, wording.EVIDENCE_KINDS),
        (EventKind, wording.EVENT_KINDS),
        (Act, handling_words.STEPS),
        (Step, handling_words.STEPS),
        (FalseAlarmReason, handling_words.REASONS),
        (ClockStep, handling_words.CLOCKS),
        (AlertState, handling_words.AWAITED),
    ],
)
def test_every_value_of_the_domain_has_words(values: type, words: dict[str, object]) -> None:
    assert {str(value) for value in values} <= set(words)  # type: ignore[attr-defined]  # an enum


def test_chinese_comes_first_and_english_is_a_choice() -> None:
    assert next(iter(languages())) == "zh"
    assert choose(None, None).code == "zh"
    assert choose("fr", "en").code == "en"
    assert choose("zh", "en").code == "zh"


def test_no_two_rooms_translate_the_same_text() -> None:
    """One of them would be shown in both: texts with two meanings need two English wordings."""
    found: dict[object, list[str]] = {}
    for path in sorted((CATALOGUES / "zh_CN").glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale="zh_CN"):
                if message.id:
                    found.setdefault(message.id, []).append(path.name)
    assert {text: rooms for text, rooms in found.items() if len(rooms) > 1} == {}


def test_every_chinese_text_is_chinese() -> None:
    same = {"SHA-256"}
    texts = chain.from_iterable(
        [(message.id, message.string)] if isinstance(message.string, str) else []
        for message in catalogue("zh_CN")
        if message.id
    )
    for message, text in texts:
        letters = PLACEHOLDER.sub("", text)
        spoken = re.search(r"[^\W\d_]", letters)
        assert not spoken or message in same or re.search(r"[\u4e00-\u9fff]", letters), message
