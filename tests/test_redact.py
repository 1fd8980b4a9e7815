"""A camera's password never reaches a log, an error sentence or a bug report."""

from __future__ import annotations

import pytest

from kitchen_watch.redact import redact, redact_log_event, redact_values

CANARY = "Wok-und-Dampf-7731"


@pytest.mark.parametrize(
    "text",
    [
        f"rtsp://admin:{CANARY}@10.0.0.9:554/stream1",
        f"cannot open 'rtsp://admin:{CANARY}@cam/1' or rtsps://u:{CANARY}@cam/2",
        f"rtsp://admin:p@ss@{CANARY}@10.0.0.9/stream",
        f"http://backend/x?token={CANARY}&page=2",
        f"Authorization: Bearer {CANARY}",
        f"Set-Cookie: kw_session={CANARY}; HttpOnly",
        f"webhook-signature: v1,{CANARY}",
    ],
)
def test_credentials_disappear_from_text(text: str) -> None:
    assert CANARY not in redact(text)


def test_what_is_no_secret_stays_readable() -> None:
    text = "rtsp://10.0.0.9:554/stream1 answered 404 at 12:30, mail chef@kitchen.example"
    assert redact(text) == text


def test_secret_fields_disappear_from_log_values_at_any_depth() -> None:
    event = {
        "password": CANARY,
        "camera": {"url": f"rtsp://u:{CANARY}@cam/1", "api_token": CANARY},
        "list": [f"rtsp://u:{CANARY}@cam/1"],
        "error": OSError(f"rtsp://u:{CANARY}@cam/1 refused"),
        "frames": 12,
    }
    logged = redact_log_event(None, "info", dict(event))
    assert CANARY not in repr(logged)
    assert logged["frames"] == 12
    assert redact_values({"camera": {"name": "热厨一号"}}) == {"camera": {"name": "热厨一号"}}
