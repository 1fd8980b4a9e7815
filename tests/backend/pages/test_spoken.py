"""What edges say is told in Chinese, with its values; what nobody knows is told as it came."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import av
import pytest

from kitchen_watch.backend.auth.passwords import check_new_password
from kitchen_watch.backend.pages.languages import choose
from kitchen_watch.backend.pages.spoken import PLAIN, WITH_VALUES, said
from kitchen_watch.edge.outbox.disk import DiskPolicy, plan
from kitchen_watch.edge.rules.camera import DETAILS
from kitchen_watch.edge.streams.failures import no_video, opening_failed, reading_failed
from kitchen_watch.edge.streams.source import SourceSettings
from kitchen_watch.errors import InvalidRequest

ZH, EN = choose("zh"), choose("en")
SOURCE = SourceSettings(url="rtsp://10.0.0.9/main")
CHINESE = re.compile(r"[\u4e00-\u9fff]")

FROM_EDGES = [
    *DETAILS.values(),
    str(opening_failed(ConnectionRefusedError(111, "refused"), SOURCE, elapsed=0.1)),
    str(opening_failed(TimeoutError(), SOURCE, elapsed=0.1)),
    str(opening_failed(OSError(113, "no route"), SOURCE, elapsed=0.1)),
    str(opening_failed(OSError(5, "input/output"), SOURCE, elapsed=0.1)),
    str(opening_failed(av.error.InvalidDataError(1, "bad"), SOURCE, elapsed=0.1)),
    str(opening_failed(av.error.HTTPUnauthorizedError(401, "no"), SOURCE, elapsed=0.1)),
    str(opening_failed(av.error.HTTPNotFoundError(404, "no"), SOURCE, elapsed=0.1)),
    str(reading_failed(TimeoutError(), SOURCE)),
    str(reading_failed(None, SOURCE)),
    str(reading_failed(ConnectionResetError(104, "reset"), SOURCE)),
    str(no_video(SOURCE)),
]


@pytest.mark.parametrize("sentence", FROM_EDGES)
def test_what_an_edge_says_of_a_camera_is_told_in_chinese(sentence: str) -> None:
    told = said(sentence, ZH)
    assert CHINESE.search(told), told
    assert "%(" not in told
    assert ("10.0.0.9" in told) is ("10.0.0.9" in sentence)
    assert said(sentence, EN) == sentence
    assert CHINESE.search(said(f"main stream: {sentence}", ZH).removeprefix("主码流："))


def test_warnings_of_a_full_disk_are_told_in_chinese() -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    policy = DiskPolicy(floor_free_bytes=1000, warn_free_bytes=2000, keep=timedelta(days=1))
    for free in (10, 1500):
        (warning,) = plan([], free=free, now=now, policy=policy).warnings
        assert CHINESE.search(said(warning, ZH))


@pytest.mark.parametrize("password", ["short", "x" * 300, "aaaaaaaaaaaa", "my-wang-password", "old password"])
def test_reasons_against_a_password_are_told_in_chinese(password: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_new_password(password, username="wang", old="old password")
    assert CHINESE.search(said(str(refused.value), ZH))


def test_every_sentence_finds_itself() -> None:
    for sentence in PLAIN:
        assert said(sentence, EN) == sentence
        assert CHINESE.search(said(sentence, ZH))
    for pattern in WITH_VALUES:
        sentence = re.sub(r"%\((\w+)\)s", r"<\1>", pattern)
        told = said(sentence, ZH)
        assert sorted(re.findall(r"<\w+>", told)) == sorted(re.findall(r"<\w+>", sentence)), pattern


def test_a_sentence_that_nobody_knows_is_told_as_it_came() -> None:
    for sentence in ("The lens has been stolen.", "", "100 %(odd)s %"):
        assert said(sentence, ZH) == sentence
