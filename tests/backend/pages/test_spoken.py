"""What edges say is told in Chinese, with its values; what nobody knows is told as it came."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import av
import pytest

from kitchen_watch.backend.alerts.schemas import AlertDetail
from kitchen_watch.backend.auth.passwords import check_new_password
from kitchen_watch.backend.pages.languages import choose
from kitchen_watch.backend.pages.rendering import render
from kitchen_watch.backend.pages.spoken import PLAIN, WITH_VALUES, said
from kitchen_watch.edge.outbox.disk import DiskPolicy, plan
from kitchen_watch.edge.rules.camera import DETAILS
from kitchen_watch.edge.streams.failures import no_video, opening_failed, reading_failed
from kitchen_watch.edge.streams.source import SourceSettings
from kitchen_watch.edge.turns.roster import overloaded, too_many
from kitchen_watch.edge.turns.schedule import Waiting, next_turn
from kitchen_watch.edge.turns.settings import TurnSettings
from kitchen_watch.errors import InvalidRequest
from tests.backend.pages import samples

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


def test_warnings_of_overload_and_turns_are_told_in_chinese() -> None:
    settings = TurnSettings(mode="always", at_once=2, longest_revisit_s=60)
    line = [Waiting(f"cam-{number}", 1.0, 30.0, 0.0) for number in range(12)]
    told = said(too_many(next_turn(line, 2, wanted_s=60), settings), ZH)
    assert "12 路摄像头轮巡，同时分析 2 路：单路最长 150 秒" in told
    assert "约 6 路可满足要求" in told
    assert "19%" in said(overloaded(0.19), ZH)
    assert CHINESE.search(said(overloaded(0.19), ZH))


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


NO_CLIP_REASONS = [
    "no clip: the edge was restarted before the clip was complete",
    "no clip: the camera sent no pictures at that moment",
    "no clip: the camera's pictures ended 5.1 s before the moment",
    "no clip: 32 clips of this camera are being made already",
    "There is no picture from the camera. no clip: the camera sent no pictures at that moment",
]


@pytest.mark.parametrize("sentence", NO_CLIP_REASONS)
def test_why_there_is_no_clip_is_told_in_chinese(sentence: str) -> None:
    assert re.search(r"[a-z]{2}", said(sentence, ZH)) is None
    assert said(sentence, EN) == sentence


def test_the_page_stops_promising_a_clip_that_will_never_come() -> None:
    def page(alert: AlertDetail, language: str = "zh") -> str:
        who = samples.person()
        return render("alert.html", samples.frame(language, who), {"alert": alert, **samples.handled()})

    quiet = samples.alert_page(manifests=[])
    assert "暂无视频" in page(quiet)
    events = list(quiet.events)
    events[-1] = events[-1].model_copy(update={"detail": NO_CLIP_REASONS[0]})
    told = quiet.model_copy(update={"events": events})
    assert "暂无视频" not in page(told)
    assert '没有这一时刻的视频。</p><p class="small">视频完成前边缘节点重新启动</p>' in page(told)
    assert "没有视频：视频完成前边缘节点重新启动" in page(told), (
        "the timeline speaks the reader's language, too"
    )
    assert "There is no clip of this moment." in page(told, "en")


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        (
            "Second look at no_mask: 3 of 3 agree, surest 0.86.",
            "模型复核（未戴口罩）：3 次中 3 次一致，最高置信度 0.86。",
        ),
        (
            "the clip ends 0.2 s after the moment: the camera's stream broke off",
            "片段在事发后 0.2 秒结束：摄像头视频流中断",
        ),
    ],
)
def test_what_the_edge_notes_beside_an_alert_is_told_in_chinese(sentence: str, told: str) -> None:
    assert said(sentence, ZH) == told
