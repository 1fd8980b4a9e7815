"""ICE servers: credentials for one view that expire, and settings that are whole."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from kitchen_watch.backend.live.ice import ice_servers
from kitchen_watch.backend.live.settings import LiveSettings

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def test_without_servers_there_are_none() -> None:
    assert ice_servers(LiveSettings(), viewer="v", now=NOW) == ()


def test_coturn_takes_the_minted_credentials_until_they_expire() -> None:
    settings = LiveSettings(
        stun_urls=("stun:turn.example.cn",),
        turn_urls=("turn:turn.example.cn?transport=udp",),
        turn_secret="north",
        turn_lifetime=timedelta(hours=1),
    )
    stun, turn = ice_servers(settings, viewer="view-1", now=NOW)
    assert (stun.username, stun.credential) == (None, None)
    assert turn.username == f"{int(NOW.timestamp()) + 3600}:view-1"
    wanted = hmac.new(b"north", turn.username.encode(), hashlib.sha1).digest()
    assert turn.credential == base64.b64encode(wanted).decode()
    assert turn.credential not in repr(turn)
    assert "north" not in repr(settings)


@pytest.mark.parametrize(
    "wrong", [{"turn_urls": ["turn:a"]}, {"turn_secret": "s"}, {"stun_urls": ["http://a"]}]
)
def test_half_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        LiveSettings(**wrong)
