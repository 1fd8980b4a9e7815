"""Requests made up from the OpenAPI document by Schemathesis: whatever is sent, the service does not fail."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, given, settings

from tests.backend.stories import CLIP, PICTURE, Violation, deliver, opening_with_evidence, upload
from tests.backend.support import Backend
from tests.support import need

need("schemathesis", why="requests are made up by it; pip install -e '.[fuzz]'")
schemathesis: Any = importlib.import_module("schemathesis")
pytestmark = [pytest.mark.thorough, pytest.mark.filterwarnings("default")]

LEFT_OUT = {
    ("get", "/api/v1/alerts/stream"),  # never ends
    ("get", "/api/v1/cameras/{camera_id}/live/tracks"),  # never ends
    ("delete", "/api/v1/session"),  # ends the session that everything else needs
    ("post", "/api/v1/session/password"),  # likewise
}
EXAMPLES = {"admin": 25, "regulator": 15, "manager_a": 10, None: 4}


@schemathesis.serializer("application/sdp", "application/trickle-ice-sdpfrag", "application/octet-stream")  # type: ignore[untyped-decorator]  # loaded by name
def as_it_is(_context: Any, value: Any) -> bytes:
    """Texts and bytes that are no JSON go out as they were made up."""
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


@pytest.fixture
def lively(backend: Backend) -> Backend:
    """Two restaurants with alerts and evidence."""
    deliver(backend, opening_with_evidence("cam-a1"))
    deliver(backend, Violation(camera_id="cam-b1", code="RODENT", tier=1).tell())
    upload(backend, PICTURE)
    upload(backend, CLIP)
    return backend


@pytest.mark.parametrize("username", EXAMPLES, ids=str)
def test_no_request_makes_the_service_fail(lively: Backend, username: str | None) -> None:
    schema = schemathesis.openapi.from_dict(lively.app.openapi())
    browser = lively.logged_in(username) if username else lively.client()
    headers = {"x-csrf-token": browser.headers.get("x-csrf-token", "")}
    cookies = dict(browser.cookies)
    tried = 0
    failed: list[str] = []
    for found in schema.get_all_operations():
        operation = found.ok()
        if (operation.method.lower(), operation.path) in LEFT_OUT:
            continue

        @settings(
            max_examples=EXAMPLES[username],
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
        )
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            nonlocal tried
            answer = case.call(base_url=lively.url, headers=headers, cookies=cookies, timeout=30)
            tried += 1
            if answer.status_code >= 500 and answer.status_code not in {503, 504}:
                failed.append(
                    f"{case.method} {case.formatted_path} {case.query} {case.body!r}: {answer.text}"
                )

        ask()
    assert failed == []
    assert tried > 200
