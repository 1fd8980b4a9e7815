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
