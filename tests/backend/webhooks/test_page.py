"""The administrator's page: add a receiver, see what was given up, send it again."""

from __future__ import annotations

import re
from pathlib import Path

from tests.backend.stories import deliver, opening
from tests.backend.support import running
from tests.backend.webhooks.receivers import receiving
from tests.backend.webhooks.test_outgoing import look

PAGE = "/administration/receivers"


def test_an_administrator_adds_a_receiver_and_sends_a_dead_letter_again(tmp_path: Path) -> None:
    outgoing = {"send_here": False, "allowed_networks": ["127.0.0.0/8"], "retry_waits": []}
    with running(tmp_path, clock=None, outgoing=outgoing) as backend, receiving() as receiver:
        admin = backend.logged_in("admin")
        token = {"csrf_token": admin.headers["x-csrf-token"]}
        form = {"name": "市局平台", "kind": "webhook", "url": receiver.url, "event_sort": "on", **token}
        answer = admin.post(PAGE, data=form)
        assert answer.status_code == 200
        secret = re.search(r"whsec_[A-Za-z0-9+/=]+", answer.text)
        assert secret is not None
        assert secret[0] not in admin.get(PAGE).text
        refused = admin.post(PAGE, data={**form, "url": "https://169.254.169.254/"})
        assert refused.status_code == 422
        receiver.failures = 1
        deliver(backend, opening())
        look(backend)
        page = admin.get(PAGE).text
        assert "alert-r1-1" in page
        assert "HTTP 503" in page
        sent = admin.post(f"{PAGE}/messages/1/requeue", data=token)
        assert sent.status_code == 303
        look(backend)
        assert "alert-r1-1" not in admin.get(PAGE).text
        assert [one["alert"]["receiver_code"] for one in receiver.unique()] == ["605"]
        admin.post(f"{PAGE}/1/switch", data={"enabled": "false", **token})
        deliver(backend, opening())
        look(backend)
        assert len(receiver.unique()) == 1
        assert backend.logged_in("supervisor").get(PAGE).status_code == 403


def test_an_administrator_tries_changes_and_re_keys_a_receiver(tmp_path: Path) -> None:
    outgoing = {"send_here": False, "allowed_networks": ["127.0.0.0/8"]}
    with running(tmp_path, outgoing=outgoing) as backend, receiving() as receiver:
        admin = backend.logged_in("admin")
        token = {"csrf_token": admin.headers["x-csrf-token"]}
        nowhere = {"name": "市局平台", "kind": "webhook", "url": "http://127.0.0.1:9/", **token}
        old = re.search(r"whsec_[A-Za-z0-9+/=]+", admin.post(PAGE, data=nowhere).text)
        assert "测试消息未被接收" in admin.post(f"{PAGE}/1/test", data=token).text
        changed = admin.post(f"{PAGE}/1/change", data={"name": "省平台", "url": receiver.url, **token})
        assert changed.status_code == 303
        assert "省平台" in admin.get(PAGE).text
        assert "测试消息已被接收" in admin.post(f"{PAGE}/1/test", data=token).text
        rotated = admin.post(f"{PAGE}/1/secret", data={"overlap_hours": "24", **token})
        new = re.search(r"whsec_[A-Za-z0-9+/=]+", rotated.text)
        assert old is not None
        assert new is not None
        assert new[0] != old[0]
        shown = admin.get(PAGE).text
        assert "旧密钥有效至" in shown
        assert new[0] not in shown
        assert admin.post(f"{PAGE}/1/change", data={"name": "", **token}).status_code == 422
        assert admin.post(f"{PAGE}/1/secret", data={"secret": "whsec_short", **token}).status_code == 422
