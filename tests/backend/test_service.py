"""The service as a whole: headers, probes, problems, and what it does not load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kitchen_watch.backend.serving import bind
from kitchen_watch.errors import ConfigError
from tests.backend.stories import deliver, opening
from tests.backend.support import Backend, running

HEAVY = ("numpy", "cv2", "av", "openvino", "torch", "kitchen_watch.edge", "kitchen_watch.training")


def test_every_answer_carries_the_security_headers(backend: Backend) -> None:
    for path in ("/healthz", "/api/v1/session", "/nowhere", "/api/v1/nowhere", "/media/evidence/x"):
        headers = backend.client().get(path).headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "server" not in headers


def test_errors_of_the_api_are_problems(backend: Backend) -> None:
    browser = backend.logged_in("admin")
    wrong = {
        "/api/v1/nowhere": (404, "not_found"),
        "/api/v1/alerts/1": (404, "not_found"),
        "/api/v1/alerts/x": (422, "invalid_request"),
        "/api/v1/alerts?limit=0": (422, "invalid_request"),
        "/api/v1/alerts?unknown=1": (422, "invalid_request"),
    }
    for path, (status, code) in wrong.items():
        answer = browser.get(path)
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (status, code, status)
    assert browser.put("/api/v1/alerts").json()["code"] == "method_not_allowed"


def test_a_password_in_a_bad_request_is_not_repeated(backend: Backend) -> None:
    answer = backend.client().post("/api/v1/session", json={"username": "", "password": "s3cr3t", "x": 1})
    assert (answer.status_code, "s3cr3t" in answer.text) == (422, False)


def test_probes(backend: Backend) -> None:
    client = backend.client()
    assert client.get("/healthz").text == "ok\n"
    assert client.get("/readyz").json() == {"ready": True, "database": True, "feed": True}


def test_metrics_are_for_this_machine_only(backend: Backend) -> None:
    deliver(backend, opening())
    client = backend.client()
    text = client.get("/metrics").text
    assert 'kw_backend_events_total{verdict="accepted"} 1.0' in text
    assert 'route="/api/v1/edge/events"' in text
    assert client.get("/metrics", headers={"x-forwarded-for": "203.0.113.7"}).status_code == 404


def test_metrics_with_a_token(tmp_path: Path) -> None:
    with running(tmp_path, metrics_token="t0ken") as backend:
        client = backend.client()
        assert client.get("/metrics").status_code == 404
        assert client.get("/metrics", headers={"authorization": "Bearer t0ken"}).status_code == 200


def test_forwarded_addresses_are_believed_from_trusted_proxies_only(tmp_path: Path) -> None:
    headers = {"x-forwarded-for": "203.0.113.7"}
    credentials = {"username": "admin", "password": "guess"}
    for proxies, address in (((), "127.0.0.1"), (("127.0.0.1",), "203.0.113.7")):
        with running(tmp_path / address, trusted_proxies=proxies) as backend:
            backend.client().post("/api/v1/session", json=credentials, headers=headers)
            [entry] = backend.logged_in("admin").get("/api/v1/audit").json()["items"]
            assert entry["address"] == address


def test_the_audit_log_is_for_administrators_and_supervisors(backend: Backend) -> None:
    for nobody in ("regulator", "official_a", "manager_a", "staff_a"):
        assert backend.logged_in(nobody).get("/api/v1/audit").status_code == 403
    for _ in range(3):
        backend.client().post("/api/v1/session", json={"username": "admin", "password": "guess"})
    browser = backend.logged_in("admin")
    first = browser.get("/api/v1/audit", params={"limit": 2}).json()
    second = browser.get("/api/v1/audit", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [len(first["items"]), len(second["items"]), second["next_cursor"]] == [2, 1, None]
    assert browser.get("/api/v1/audit", params={"action": "login"}).json()["items"] == []


def test_the_backend_starts_without_a_model_numpy_or_opencv(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from kitchen_watch.backend.app import create_app
from kitchen_watch.backend.settings import BackendSettings
create_app(BackendSettings(data_dir=Path({str(tmp_path)!r})))
loaded = [name for name in {HEAVY!r} if name in sys.modules]
sys.exit(f"loaded: {{loaded}}" if loaded else 0)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_port_in_use_is_one_sentence() -> None:
    with bind("127.0.0.1", 0) as taken, pytest.raises(ConfigError, match="is in use") as refusal:
        bind("127.0.0.1", taken.getsockname()[1])
    assert refusal.value.exit_code == 2
    with pytest.raises(ConfigError, match="cannot be listened on"):
        bind("203.0.113.1", 0)
