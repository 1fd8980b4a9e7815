"""``kitchen-watch outbox`` beside a running edge."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from kitchen_watch.edge.outbox.commands import app
from kitchen_watch.edge.outbox.records import EventState, Outcome
from kitchen_watch.edge.outbox.schema import FILE_NAME
from kitchen_watch.errors import ConfigError
from tests.edge.outbox.situations import draft, opened


async def run(*arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, arguments)


async def test_undelivered_and_dead_events_are_listed_while_the_edge_runs(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        waiting = await store.open_event(draft())
        dead = await store.open_event(draft())
        await store.settle([Outcome(dead.event_id, EventState.DEAD, "belongs to another edge")])

        everything = await run("list", "--json", "--data-dir", str(tmp_path))
        lines = [json.loads(line) for line in everything.stdout.splitlines()]
        assert [(line["event_id"], line["state"]) for line in lines] == [
            (str(waiting.event_id), "pending"),
            (str(dead.event_id), "dead"),
        ]
        only_dead = await run("list", "--dead", "--json", "--data-dir", str(tmp_path))
        (line,) = [json.loads(line) for line in only_dead.stdout.splitlines()]
        assert line["last_error"] == "belongs to another edge"
        for_people = await run("list", "--data-dir", str(tmp_path))
        assert "belongs to another edge" in for_people.stdout
        assert "2 undelivered events" in for_people.stderr


async def test_dead_events_are_queued_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        events = [await store.open_event(draft()) for _ in range(3)]
        await store.settle([Outcome(event.event_id, EventState.DEAD, "no") for event in events])
        one = await run("requeue", str(events[0].event_id), "--data-dir", str(tmp_path))
        assert one.exit_code == 0
        assert (await store.counts()).dead == 2
        rest = await run("requeue", "--all-dead", "--data-dir", str(tmp_path))
        assert rest.exit_code == 0
        assert (await store.counts()).dead == 0
        again = await run("requeue", str(events[0].event_id), "--data-dir", str(tmp_path))
        assert isinstance(again.exception, ConfigError)
        assert "no dead event" in str(again.exception)


@pytest.mark.parametrize(
    "arguments", [["requeue"], ["requeue", "--all-dead", "12345678-1234-5678-1234-567812345678"]]
)
async def test_requeue_wants_to_know_what(tmp_path: Path, arguments: list[str]) -> None:
    result = await run(*arguments, "--data-dir", str(tmp_path))
    assert isinstance(result.exception, ConfigError)
    assert "--all-dead" in str(result.exception)


async def test_a_wrong_directory_or_file_is_named(tmp_path: Path) -> None:
    nothing = await run("list", "--data-dir", str(tmp_path))
    assert isinstance(nothing.exception, ConfigError)
    assert "there is no outbox" in str(nothing.exception)
    assert list(tmp_path.iterdir()) == []  # looking creates nothing

    (tmp_path / FILE_NAME).write_bytes(b"not a database" * 100)
    rubbish = await run("list", "--data-dir", str(tmp_path))
    assert isinstance(rubbish.exception, ConfigError)
    assert "cannot be read" in str(rubbish.exception)


@pytest.mark.parametrize("room", ["outbox", "evidence"])
def test_commands_load_nothing_heavy(room: str) -> None:
    script = (
        f"import sys, kitchen_watch.edge.{room}.commands\n"
        "heavy = {'numpy', 'cv2', 'av', 'PIL', 'httpx', 'openvino', 'fastapi'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
