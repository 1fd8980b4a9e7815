"""A district with more cameras than a page can show: pages, search, and the troubled ones first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import insert, select

from kitchen_watch.backend.edges.tables import CameraStateRow, EdgeStateRow
from kitchen_watch.backend.organisations.tables import CameraRow, EdgeRow
from kitchen_watch.control import CameraState
from tests.backend.support import NOON, Backend, running

MANY = 230


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """Restaurant A with 230 more cameras, all of which stream but one."""
    directory: Path = tmp_path_factory.mktemp("many")
    with running(directory) as backend:
        with backend.parts.database.write() as session:
            like = session.scalars(select(CameraRow).where(CameraRow.camera_id == "cam-a1")).one()
            names = [column.key for column in CameraRow.__table__.columns]
            values = {name: getattr(like, name) for name in names}
            session.execute(
                insert(CameraRow),
                [values | {"camera_id": f"more-{n:03}", "name": f"{n:03} 号机位"} for n in range(MANY)],
            )
            session.add(EdgeStateRow(edge_id="edge-1", connection_id=uuid4(), last_heard_at=NOON))
            for n in range(MANY):
                state = CameraState.OFFLINE if n == 200 else CameraState.STREAMING
                session.add(
                    CameraStateRow(camera_id=f"more-{n:03}", state=state, since_at=NOON, heard_at=NOON)
                )
        yield backend


def shown(text: str) -> list[str]:
    return re.findall(r"<code>([\w-]+)</code>", text)


def test_every_camera_is_on_exactly_one_page_and_troubled_ones_on_the_first(district: Backend) -> None:
    browser = district.logged_in("regulator")
    first = browser.get("/cameras").text
    assert {"more-200", "cam-a1"} <= set(shown(first)[:5])
    assert "233" in first
    pages = [shown(browser.get(f"/cameras?from={n}").text) for n in (0, 100, 200)]
    assert [len(page) for page in pages] == [100, 100, 33]
    assert len({camera for page in pages for camera in page}) == MANY + 3
    assert 'href="/cameras?from=100"' in first
    assert shown(browser.get("/cameras?from=100000").text) == shown(
        first
    )  # beyond the end: from the beginning


def test_cameras_are_found_by_name_number_and_premises_within_ones_own_scope(district: Backend) -> None:
    browser = district.logged_in("regulator")
    assert shown(browser.get("/cameras", params={"words": "117 号"}).text) == ["more-117"]
    assert shown(browser.get("/cameras", params={"words": "MORE-04"}).text) == [
        f"more-04{n}" for n in range(10)
    ]
    assert shown(browser.get("/cameras", params={"words": "乙饭店"}).text) == ["cam-b1"]
    assert shown(browser.get("/cameras", params={"words": "丙食堂"}).text) == []
    assert shown(browser.get("/cameras", params={"words": "%"}).text) == []
    found = browser.get("/cameras", params={"words": "more-"}).text
    assert 'href="/cameras?words=more-&amp;from=100"' in found
    api = browser.get("/api/v1/cameras", params={"words": "more-", "limit": 200}).json()
    assert (len(api["items"]), api["next_cursor"]) == (200, "more-199")
    rest = browser.get(
        "/api/v1/cameras", params={"words": "more-", "limit": 200, "cursor": "more-199"}
    ).json()
    assert (len(rest["items"]), rest["next_cursor"]) == (30, None)
    assert shown(district.logged_in("manager_b").get("/cameras?words=more").text) == []


def test_the_wall_goes_through_the_cameras_that_were_searched_for(district: Backend) -> None:
    browser = district.logged_in("regulator")
    wall = browser.get("/wall", params={"show": "4", "words": "more-22"}).text
    assert re.findall(r'<a href="/cameras/(more-\d+)/live"', wall) == [f"more-22{n}" for n in range(4)]
    assert 'href="/wall?show=4&amp;rotate=0&amp;words=more-22&amp;from=4"' in wall
    assert (
        'href="/wall?show=4&amp;rotate=0&amp;words=more-22&amp;from=8"' in wall
    )  # back from the first: the last
    last = browser.get("/wall", params={"show": "4", "words": "more-22", "from": 8}).text
    assert re.findall(r'<a href="/cameras/(more-\d+)/live"', last) == ["more-228", "more-229"]
    assert browser.get("/wall", params={"words": "nobody"}).status_code == 200
    assert district.logged_in("admin").get("/live-test").status_code == 200


def test_edges_are_in_pages_too(district: Backend) -> None:
    with district.parts.database.write() as session:
        like = session.scalars(select(EdgeRow).where(EdgeRow.edge_id == "edge-2")).one()
        values = {column.key: getattr(like, column.key) for column in EdgeRow.__table__.columns}
        session.execute(insert(EdgeRow), [values | {"edge_id": f"node-{n:03}"} for n in range(120)])
    browser = district.logged_in("admin")
    first = browser.get("/edges").text
    assert 'href="/edges?from=100"' in first
    second = browser.get("/edges?from=100").text
    pages = [re.findall(r"(?:edge|node)-\d+(?=</small>)", page) for page in (first, second)]
    assert [len(page) for page in pages] == [100, 22]
    assert not set(pages[0]) & set(pages[1])
    assert 'href="/edges?from=0"' in second
