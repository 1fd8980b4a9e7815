"""Where pictures come from: addresses are checked, and secrets stay secret."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from kitchen_watch.edge.streams.source import SourceKind, SourceSettings


def test_credentials_move_out_of_the_url_into_secrets() -> None:
    source = SourceSettings(url="rtsp://admin:p%40ss%2Fword@192.0.2.7:554/ch1?x=1")
    assert source.url == "rtsp://192.0.2.7:554/ch1?x=1"
    assert source.username is not None
    assert source.password is not None
    assert source.password.get_secret_value() == "p@ss/word"
    assert source.address().get_secret_value() == "rtsp://admin:p%40ss%2Fword@192.0.2.7:554/ch1?x=1"


@pytest.mark.parametrize("password", ["p@ss", "se#cret", "a:b?c"])
def test_a_password_that_is_not_percent_encoded_is_understood(password: str) -> None:
    source = SourceSettings(url=f"rtsp://admin:{password}@192.0.2.7/ch1")
    assert source.url == "rtsp://192.0.2.7/ch1"
    assert source.password is not None
    assert source.password.get_secret_value() == password


@pytest.mark.parametrize(
    "source",
    [
        SourceSettings(url="rtsp://admin:canary77@cam/1"),
        SourceSettings(url="rtsp://cam/1", username="admin", password="canary77"),
        SourceSettings(url="rtsp://cam/user=admin&password=canary77&channel=1.sdp"),
        SourceSettings(url="rtsp://cam/1?user=admin&password=canary77"),
    ],
)
def test_no_printed_form_shows_a_secret(source: SourceSettings) -> None:
    shown = f"{source!r} {source} {source.place} {source.host}"
    assert "canary77" not in shown
    assert "cam" in shown


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("rtsp://cam/1", SourceKind.RTSP),
        ("RTSPS://cam/1", SourceKind.RTSP),
        ("clips/a.mp4", SourceKind.FILE),
        ("file:/tmp/a.mp4", SourceKind.FILE),
        ("file:///tmp/a%20b.mp4", SourceKind.FILE),
        ("webcam:1", SourceKind.WEBCAM),
    ],
)
def test_kinds_of_sources(url: str, kind: SourceKind) -> None:
    assert SourceSettings(url=url).kind is kind


def test_paths_and_numbers() -> None:
    assert SourceSettings(url="file:///tmp/a%20b.mp4").path == Path("/tmp/a b.mp4")
    assert SourceSettings(url="file:/tmp/a b.mp4").path == Path("/tmp/a b.mp4")
    assert SourceSettings(url="webcam:3").webcam_index == 3
    assert SourceSettings(url="rtsp://cam/1").host == "cam:554"
    assert SourceSettings(url="rtsp://cam/1", open_timeout=4).open_timeout == timedelta(seconds=4)


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"url": "http://cam/video"}, "http:// cannot be read"),
        ({"url": "rstp://cam/1"}, "rstp:// cannot be read"),
        ({"url": "rtsp:///nohost"}, "is not an address such as"),
        ({"url": "rtsp://cam:99999/1"}, "is not an address such as"),
        ({"url": "rtsp://u:se/cret@cam/1"}, "is not an address such as"),
        ({"url": "webcam:first"}, "webcam:0"),
        ({"url": "rtsp://cam/1", "loop": True}, "only a file can loop"),
        ({"url": "rtsp://a:b@cam/1", "password": "c"}, "keep one of the two"),
        ({"url": "rtsp://cam/1", "open_timeout": 0}, "greater than"),
        ({"url": "rtsp://cam/1", "transport": "quic"}, "tcp"),
        ({"url": "rtsp://cam/1", "pasword": "c"}, "Extra inputs"),
    ],
)
def test_bad_settings_are_refused_in_words(values: dict[str, object], part: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        SourceSettings.model_validate(values)
    assert part in str(refusal.value)
    assert "se/cret" not in str(refusal.value)
