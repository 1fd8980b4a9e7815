"""Views are counted, checked and written down, also when something breaks underneath them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import TimeoutError as NoConnection

from kitchen_watch.backend.audit.tables import AuditRow
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.service import find_by_username
from kitchen_watch.backend.auth.sessions import open_session
from kitchen_watch.backend.live.settings import LiveSettings
from kitchen_watch.backend.live.views import LiveViews, View
from kitchen_watch.backend.organisations.tables import CameraRow
from kitchen_watch.backend.parts import Parts
from kitchen_watch.errors import Conflict
from tests.backend.support import NOON, make_app, make_settings


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    app = make_app(make_settings(tmp_path))
    yield app.state.parts
    app.state.parts.database.close()


def views_of(parts: Parts, **settings: Any) -> LiveViews:
    chosen = LiveSettings(check_every_s=0.05, **settings)
    return LiveViews(parts.database, parts.clock, times=parts.login.times, settings=chosen)


def manager(parts: Parts) -> Person:
    with parts.database.write() as session:
        row = find_by_username(session, "manager_a")
        assert row is not None
        opened = open_session(
            session, row, address="127.0.0.1", user_agent="test", now=NOON, times=parts.login.times
        )
        return opened.person


async def opened(views: LiveViews, person: Person) -> View:
    return await views.open(person, "127.0.0.1", "cam-a1", kind="webrtc", quality="sub", purpose="")


async def test_requests_that_come_together_do_not_get_past_the_limit(parts: Parts) -> None:
    views, person = views_of(parts, views_per_person=2), manager(parts)
    answers = await asyncio.gather(*(opened(views, person) for _ in range(6)), return_exceptions=True)
    assert sum(isinstance(one, View) for one in answers) == 2
    assert sum(isinstance(one, Conflict) for one in answers) == 4
    for one in answers:
        if isinstance(one, View):
            await views.end(one, "left")
    await opened(views, person)  # the places are free again


async def test_without_a_connection_to_the_database_views_end_and_checking_goes_on(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    views, person = views_of(parts), manager(parts)
    asked = 0

    def none_to_be_had(_views: list[View]) -> set[Any]:
        nonlocal asked
        asked += 1
        raise NoConnection("QueuePool limit reached")

    monkeypatch.setattr(views, "_allowed", none_to_be_had)
    checking = asyncio.create_task(views.run())
    for count in (1, 2):
        await opened(views, person)
        async with asyncio.timeout(5):
            while len(views) or asked < count:
                await asyncio.sleep(0.01)
    views.stop()
    await checking


async def test_the_end_is_written_down_even_if_the_media_cannot_be_stopped(parts: Parts) -> None:
    views, person = views_of(parts), manager(parts)
    view = await opened(views, person)

    async def broken() -> None:
        raise RuntimeError("the connection is in two minds")

    view.stop = broken
    with contextlib.suppress(RuntimeError):
        await views.end(view, "left")
    assert len(views) == 0
    with parts.database.read() as session:
        (row,) = session.scalars(select(AuditRow).where(AuditRow.action == "live_view_ended"))
    assert row.facts["reason"] == "left"


@pytest.mark.parametrize("change", [{"enabled": False}, {"edge_id": "edge-2"}], ids=["off", "moved"])
async def test_a_camera_that_is_switched_off_or_moved_to_another_edge_is_watched_no_more(
    parts: Parts, change: dict[str, Any]
) -> None:
    views, person = views_of(parts), manager(parts)
    checking = asyncio.create_task(views.run())
    await opened(views, person)
    await asyncio.sleep(0.15)
    assert len(views) == 1
    with parts.database.write() as session:
        session.execute(update(CameraRow).where(CameraRow.camera_id == "cam-a1").values(**change))
    async with asyncio.timeout(2):
        while len(views):
            await asyncio.sleep(0.01)
    if "enabled" in change:
        with pytest.raises(Conflict, match="switched off"):
            await opened(views, person)
    views.stop()
    await checking
