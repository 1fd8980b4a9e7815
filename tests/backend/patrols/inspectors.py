"""What officers and restaurants do with checks, as short words for tests."""

from __future__ import annotations

from typing import Any

import httpx

from kitchen_watch.backend.forms.content import FormContent, ItemKind
from tests.backend.handling.test_case import picture
from tests.backend.support import Backend

PATROLS = "/api/v1/patrols"


class Inspectors:
    """Everybody's browsers, each logged in once."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.browsers: dict[str, httpx.Client] = {}

    def browser(self, name: str) -> httpx.Client:
        if name not in self.browsers:
            self.browsers[name] = self.backend.logged_in(name)
        return self.browsers[name]

    def ask(self, name: str, method: str, path: str, status: int = 200, **more: Any) -> Any:
        """One request below the patrols' address; the answer as JSON."""
        answer = self.browser(name).request(method, f"{PATROLS}{path}", **more)
        assert answer.status_code == status, answer.text
        return answer.json()

    def next(self, name: str = "regulator", kind: str = "patrol", **more: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.ask(name, "POST", "/next", 201, json={"kind": kind} | more)
        return found

    def check(self, premises: int, name: str = "regulator", **more: Any) -> dict[str, Any]:
        body = {"premises_id": premises, "kind": "on_site"} | more
        found: dict[str, Any] = self.ask(name, "POST", "", 201, json=body)
        return found

    def done(self, check: dict[str, Any], name: str = "regulator", **more: Any) -> dict[str, Any]:
        """Hand the form in with everything in order, but for the answers given."""
        bad = more.pop("answers", {})
        body = {"version": check["version"], "answers": good_answers(check) | bad} | more
        found: dict[str, Any] = self.ask(name, "POST", f"/{check['check_id']}/complete", json=body)
        return found

    def photo(
        self, check: dict[str, Any], item: str, seed: int, name: str = "regulator", status: int = 201
    ) -> Any:
        return self.ask(
            name, "POST", f"/{check['check_id']}/photos", status, params={"item": item}, content=picture(seed)
        )


def good_answers(check: dict[str, Any]) -> dict[str, Any]:
    """An answer in order for every mandatory item."""
    content = FormContent.model_validate(check["form"]["content"])
    found: dict[str, Any] = {}
    for item in content.all_items():
        if not item.required:
            continue
        good: dict[ItemKind, Any] = {
            ItemKind.YES_NO: item.good,
            ItemKind.CHOICE: next((one.key for one in item.choices if one.good), None),
            ItemKind.NUMBER: item.minimum if item.minimum is not None else item.maximum,
            ItemKind.TEXT: "无",
        }
        found[item.key] = {"value": good[item.kind]}
    return found
