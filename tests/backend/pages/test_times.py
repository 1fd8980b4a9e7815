"""Times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from kitchen_watch.backend.pages.languages import choose
from kitchen_watch.backend.pages.times import ago, clocks_differ, duration, full, local, offset_words

SHANGHAI = ZoneInfo("Asia/Shanghai")
URUMQI = ZoneInfo("Asia/Urumqi")
NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
ZH, EN = choose("zh"), choose("en")


@pytest.mark.parametrize(
    ("seconds", "chinese", "english"),
    [
        (-30, "刚刚", "just now"),
        (4, "刚刚", "just now"),
        (5, "5秒钟前", "5 seconds ago"),
        (59, "59秒钟前", "59 seconds ago"),
        (119, "1分钟前", "1 minute ago"),
        (185, "3分钟前", "3 minutes ago"),
        (7199, "1小时前", "1 hour ago"),
        (86_400 * 3, "3天前", "3 days ago"),
        (86_400 * 8, "1周前", "1 week ago"),
        (86_400 * 65, "2个月前", "2 months ago"),
    ],
)
def test_distances_are_human_and_never_rounded_up(seconds: int, chinese: str, english: str) -> None:
    assert ago(NOW - timedelta(seconds=seconds), ZH, now=NOW) == chinese
    assert ago(NOW - timedelta(seconds=seconds), EN, now=NOW) == english


def test_the_day_is_told_only_where_it_is_not_today_at_the_premises() -> None:
    assert local(NOW, SHANGHAI, ZH, now=NOW) == "12:00:00"
    # 23:59 of the day before in UTC is already today in Shanghai.
    assert local(datetime(2026, 3, 1, 23, 59, tzinfo=UTC), SHANGHAI, ZH, now=NOW) == "07:59:00"
    assert local(datetime(2026, 3, 1, 15, 59, tzinfo=UTC), SHANGHAI, ZH, now=NOW) == "3月1日 23:59:00"
    assert local(datetime(2025, 12, 31, 4, 0, tzinfo=UTC), SHANGHAI, EN, now=NOW) == "31 Dec 2025 12:00:00"


def test_times_are_local_to_the_premises() -> None:
    assert local(NOW, URUMQI, ZH, now=NOW) == "10:00:00"
    assert full(NOW + timedelta(milliseconds=7), SHANGHAI, ZH) == "2026年3月2日 12:00:00.007 (UTC+08:00)"


@pytest.mark.parametrize(
    ("seconds", "chinese", "english"),
    [
        (0.44, "0.4 秒", "0.4 s"),
        (9.0, "9 秒", "9 s"),
        (59.6, "1 分钟", "1 min"),
        (61, "1 分 1 秒", "1 min 1 s"),
        (3600, "1 小时", "1 h"),
        (3661, "1 小时 1 分", "1 h 1 min"),
        (90_000, "1 天 1 小时", "1 d 1 h"),
    ],
)
def test_durations_have_two_units_at_most(seconds: float, chinese: str, english: str) -> None:
    assert duration(timedelta(seconds=seconds), ZH) == chinese
    assert duration(timedelta(seconds=seconds), EN) == english


@pytest.mark.parametrize(
    ("offset", "differ"), [(None, False), (1999, False), (-1999, False), (2000, True), (-2000, True)]
)
def test_clocks_differ_only_beyond_what_a_network_delays(offset: int | None, differ: bool) -> None:
    assert clocks_differ(offset) is differ


def test_which_clock_is_ahead_is_said() -> None:
    assert offset_words(4200, ZH) == "设备时钟比服务器慢 4.2 秒"  # server minus device
    assert offset_words(-60_000, EN) == "device clock 1 min ahead of the server"


@pytest.mark.parametrize("offset", [2**63 - 1, -(2**63), 10**30, 86_399_999_999_999_999])
def test_a_clock_that_is_absurdly_wrong_is_still_told(offset: int) -> None:
    assert clocks_differ(offset)
    assert "36525 d" in offset_words(offset, EN)
