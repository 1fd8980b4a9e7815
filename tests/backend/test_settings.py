"""Which settings start, which refuse to, and where the secret key comes from."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from kitchen_watch.backend.secret_key import FILE_NAME, VARIABLE, derive, load_secret_key
from kitchen_watch.backend.settings import BackendSettings
from kitchen_watch.config import validate
from kitchen_watch.errors import ConfigError

STRONG = "0123456789abcdefghijklmnopqrstuvwxyz"


def settings(**values: Any) -> BackendSettings:
    return validate(values, BackendSettings, where="test.yaml")


def test_the_defaults_are_for_one_machine() -> None:
    defaults = settings()
    assert (defaults.host, defaults.port, defaults.https) == ("127.0.0.1", 8000, False)
    assert defaults.database.startswith("sqlite:////")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"hots": "x"}, "not a known key"),
        ({"host": "0.0.0.0"}, "passwords would travel in the clear"),
        ({"public_url": "ftp://x"}, "must look like https"),
        ({"public_url": "https://x/below"}, "a path below it is not supported"),
        ({"public_url": "https://me:pw@x"}, "must look like https"),
        ({"secret_key": "changeme"}, "at least 32 characters"),
        ({"secret_key": "a" * 64}, "10 of them different"),
        ({"database_url": "mysql://x"}, "sqlite:/// or postgresql://"),
        ({"trusted_proxies": ["nginx"]}, "does not appear to be an IPv4 or IPv6"),
        ({"session_idle": 7200, "session_lifetime": 3600}, "must not be longer"),
        ({"port": 70000}, "less than or equal to 65535"),
        ({"log_level": "LOUD"}, "pattern"),
    ],
)
def test_what_cannot_work_or_is_not_safe_refuses_to_start(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        settings(**values)


@pytest.mark.parametrize(
    "values",
    [
        {"host": "0.0.0.0", "public_url": "https://supervision.example.cn"},
        {"host": "0.0.0.0", "allow_plain_http": True},
        {"host": "::1"},
        {"host": "localhost", "trusted_proxies": ["10.0.0.0/8"]},
    ],
)
def test_what_is_safe_or_asked_for_starts(values: dict[str, Any]) -> None:
    settings(**values)


def test_secrets_do_not_show() -> None:
    shown = repr(
        settings(secret_key=STRONG, database_url="postgresql://kw:hunter2@db/kw", metrics_token="t0ken-t0ken")
    )
    assert not any(secret in shown for secret in (STRONG, "hunter2", "t0ken"))


def test_a_secret_key_is_generated_once_and_kept_private(tmp_path: Path) -> None:
    where = settings(data_dir=tmp_path / "new" / "data")
    first = load_secret_key(where, {})
    assert load_secret_key(where, {}) == first
    assert stat.S_IMODE((where.data_dir / FILE_NAME).stat().st_mode) == 0o600
    assert load_secret_key(settings(data_dir=tmp_path / "other"), {}) != first


def test_the_order_is_settings_environment_file(tmp_path: Path) -> None:
    environment = {VARIABLE: STRONG[::-1]}
    assert load_secret_key(settings(data_dir=tmp_path, secret_key=STRONG), environment) == STRONG.encode()
    assert load_secret_key(settings(data_dir=tmp_path), environment) == STRONG[::-1].encode()
    assert not (tmp_path / FILE_NAME).exists()


def test_a_weak_key_in_the_environment_or_an_open_file_refuses_to_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=VARIABLE):
        load_secret_key(settings(data_dir=tmp_path), {VARIABLE: "short"})
    load_secret_key(settings(data_dir=tmp_path), {})
    (tmp_path / FILE_NAME).chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        load_secret_key(settings(data_dir=tmp_path), {})


def test_keys_for_two_purposes_differ() -> None:
    assert derive(b"secret", "one") != derive(b"secret", "two")
    assert len(derive(b"secret", "one")) == 32
