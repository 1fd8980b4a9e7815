"""A listener to the alert stream, as a browser's EventSource would be one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx


class Stream:
    """Server-sent events of one connection, read one by one."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.iter_lines()

    def next_event(self) -> dict[str, str]:
        """The next event, pings included; raises StopIteration at the end of the stream."""
        event: dict[str, str] = {}
        for line in self._lines:
            if not line and event:
                return event
            name, _, value = line.partition(":")
            if name:
                event[name] = value.removeprefix(" ")
        raise EOFError

    def next_alert(self) -> dict[str, Any]:
        """The next alert message; pings are passed over."""
        while True:
            event = self.next_event()
            if event["event"] == "alert":
                message: dict[str, Any] = json.loads(event["data"])
                assert event["id"] == str(message["feed_id"])
                return message

    def until_ping(self) -> list[int]:
        """The feed ids that come before the next ping."""
        ids: list[int] = []
        while True:
            event = self.next_event()
            if event["event"] == "ping":
                return ids
            ids.append(int(event["id"]))


@contextmanager
def listening(
    client: httpx.Client, *, after: int | None = None, last_event_id: int | None = None
) -> Iterator[Stream]:
    """An open stream; its first ping has been read, so the server is listening."""
    headers = {} if last_event_id is None else {"last-event-id": str(last_event_id)}
    params = {} if after is None else {"after": after}
    with client.stream("GET", "/api/v1/alerts/stream", params=params, headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        stream = Stream(response)
        assert stream.next_event()["event"] == "ping"
        yield stream
