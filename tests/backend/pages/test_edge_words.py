"""Whatever an edge may say of itself or of a camera has Chinese words: found in the edge's own source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import kitchen_watch
from kitchen_watch.backend.pages.languages import choose
from kitchen_watch.backend.pages.spoken import said
from kitchen_watch.edge.streams.stall import Progress, stall_reason

ZH, EN = choose("zh"), choose("en")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
EDGE = Path(kitchen_watch.__file__).parent / "edge"

TOLD_BY = {
    "StreamUnreachable", "StreamRefused", "StreamStalled", "StreamEnded", "WrongPassword",
    "EvidenceError", "EvidenceMissing", "EvidenceTampered", "LeasesUnreachable",
    "BackendUnreachable", "BackendBusy", "SignatureRefused", "EventRefused",
}  # fmt: skip
"""Errors whose sentence becomes a camera's reason, a warning, or the note beside an alert."""
WARNINGS = ("outbox/figures.py", "outbox/disk.py", "outbox/opening.py", "outbox/store.py", "turns/roster.py")
"""Files whose whole sentences are warnings of an edge."""
NEVER_SHOWN = {
    "ConfigError": "the edge does not start: there is no page yet",
    "RuntimeError": "a mistake of the program",
}
LEFT_OUT = {
    "streams/camera_stream.py": "<1>: the camera <2>. It is connected again.",
    "evidence/cutting.py": "the clip ends <1> s after the moment: <2>",
    "shadow/": "",
    "evidence/verification.py": "",
    "streams/probe.py": "",
}
"""Sentences with ends of their own, looked at below; what stays in the log; and what commands answer."""


def sentences() -> Iterator[tuple[str, str]]:
    for path in sorted(EDGE.rglob("*.py")):
        name = path.relative_to(EDGE).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found = [
            text
            for call in ast.walk(tree)
            if isinstance(call, ast.Call) and _name(call.func) in TOLD_BY and call.args
            for text in _texts(call.args[0])
        ]
        if name in WARNINGS:
            found += _whole_sentences(tree)
        for text in found:
            if not any(name.startswith(of) and ending in text for of, ending in LEFT_OUT.items()):
                yield name, text


def _name(function: ast.expr) -> str:
    return getattr(function, "id", getattr(function, "attr", ""))


def _texts(node: ast.AST) -> Iterator[str]:
    """Strings of an expression; values in them become ``<1>``, ``<2>``, ..."""
    if isinstance(node, ast.JoinedStr):
        number = 0
        parts = []
        for part in node.values:
            if isinstance(part, ast.Constant):
                parts.append(str(part.value))
            else:
                number += 1
                parts.append(f"<{number}>")
        yield "".join(parts)
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node.value
    elif not (isinstance(node, ast.Call) and _name(node.func) in NEVER_SHOWN):
        for child in ast.iter_child_nodes(node):
            if not (isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)):  # a docstring
                yield from _texts(child)


def _whole_sentences(tree: ast.Module) -> Iterator[str]:
    """They begin with a capital letter or with a value, unlike what goes into the log."""
    yield from (
        text for text in _texts(tree) if re.match(r"([A-Z][a-z]*|<1>:?) .*[a-z] [a-z<]", text, re.DOTALL)
    )


FOUND = sorted(set(sentences()))


def test_the_edge_s_sentences_are_found() -> None:
    assert len(FOUND) > 70
    assert {"streams/failures.py", "evidence/clip.py", *WARNINGS} <= {name for name, _ in FOUND}


@pytest.mark.parametrize(("name", "sentence"), FOUND)
def test_every_sentence_of_an_edge_has_words(name: str, sentence: str) -> None:
    told = said(sentence, ZH)
    assert CHINESE.search(told), "add it to kitchen_watch/backend/pages/edge_words.py"
    assert "%(" not in told
    assert sorted(re.findall(r"<\d>", told)) == sorted(re.findall(r"<\d>", sentence))
    assert said(sentence, EN) == sentence


@pytest.mark.parametrize(
    "progress",
    [
        Progress(started=0),
        Progress(started=0, opened=1),
        Progress(started=0, opened=1, packet=99),
        Progress(started=0, opened=1, packet=99, advanced=99),
    ],
)
def test_every_way_to_stall_has_words(progress: Progress) -> None:
    reason = stall_reason(progress, 100, open_timeout=10, read_timeout=10)
    assert reason is not None
    assert CHINESE.search(said(f"camera at 10.0.0.9: the camera {reason}. It is connected again.", ZH))


@pytest.mark.parametrize("end", ["the camera's stream broke off", "the camera sent nothing more in time"])
def test_every_early_end_of_a_clip_has_words(end: str) -> None:
    assert CHINESE.search(said(f"the clip ends 0.2 s after the moment: {end}", ZH))


def test_a_reason_within_a_warning_is_told_in_chinese_too() -> None:
    told = said(
        "Events cannot be delivered at present: https://backend.example: the backend does not answer: "
        "ConnectTimeout.",
        ZH,
    )
    assert told == "目前无法上报事件：https://backend.example：后端无应答：ConnectTimeout。"
    assert said("main stream: connecting", ZH) == "主码流：连接中"
