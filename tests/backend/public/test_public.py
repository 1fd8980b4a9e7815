"""What strangers see behind the QR code, and that they see nothing else."""

from __future__ import annotations

import io
import re
import subprocess
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from sqlalchemy import select, update

from kitchen_watch.backend.audit.tables import AuditRow
from kitchen_watch.backend.edges.tables import CameraStateRow
from kitchen_watch.backend.organisations.seed import apply_district
from kitchen_watch.backend.organisations.tables import CameraRow, PremisesRow
from kitchen_watch.clock import ManualClock
from kitchen_watch.control import CameraState
from kitchen_watch.errors import ConfigError
from tests.backend.live.edges import edge_of
from tests.backend.stories import CLIP, PICTURE, Violation, deliver, opening_with_evidence, upload
from tests.backend.support import NOON, Backend, running
from tests.support import require

PRIVATE = (
    "cam-a1", "cam-a2", "edge-1", "RODENT", "rat behind the stove", "鼠", "解放街所", "一号网格", "乙饭店",
    "JY-B", "test", "测试", "manager_a", "official_a", "csrf", "127.0.0.1",
)  # fmt: skip
"""Words that only people who are logged in may read."""


def premises_id(backend: Backend, licence_no: str = "JY-A") -> int:
    with backend.parts.database.read() as session:
        return session.scalars(select(PremisesRow.id).where(PremisesRow.licence_no == licence_no)).one()


def publish(backend: Backend, licence_no: str = "JY-A") -> str:
    """The path of the public page, published by the regulator."""
    answer = backend.logged_in("regulator").post(
        f"/api/v1/premises/{premises_id(backend, licence_no)}/public-page"
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["url"]).removeprefix(backend.parts.settings.public_url)


def make_public(backend: Backend, camera_id: str) -> None:
    with backend.parts.database.write() as session:
        session.execute(update(CameraRow).where(CameraRow.camera_id == camera_id).values(public=True))


def award(backend: Backend, **body: Any) -> httpx.Response:
    return backend.logged_in("regulator").post(f"/api/v1/premises/{premises_id(backend)}/grades", json=body)


def heard(backend: Backend, camera_id: str) -> None:
    with backend.parts.database.write() as session:
        now = backend.clock.now()
        session.add(
            CameraStateRow(camera_id=camera_id, state=CameraState.STREAMING, since_at=now, heard_at=now)
        )


def test_a_stranger_reads_name_licence_grade_and_responsible_person(backend: Backend) -> None:
    page = publish(backend)
    make_public(backend, "cam-a1")
    heard(backend, "cam-a1")
    assert award(backend, grade="B", awarded_on="2026-01-08").status_code == 201
    assert (
        award(backend, grade="A", awarded_on="2026-02-20", authority="兴庆区市场监督管理局").status_code
        == 201
    )
    text = backend.client().get(page).text
    for words in (
        "甲饭店",
        "JY-A",
        "甲老板",
        "A · 优秀",
        "2026-02-20",
        "兴庆区市场监督管理局",
        "已接入明厨亮灶",
    ):
        assert words in text, words
    assert "B · 良好" not in text
    english = backend.client().get(page, params={"lang": "en"}).text
    assert "Restaurant A" in english
    assert "A · excellent" in english


def test_a_stranger_reads_nothing_else(backend: Backend) -> None:
    page = publish(backend)
    make_public(backend, "cam-a1")
    heard(backend, "cam-a1")
    rat = Violation(camera_id="cam-a1", code="RODENT", tier=1)
    deliver(backend, rat.tell(detail="rat behind the stove"), opening_with_evidence("cam-a2"))
    upload(backend, PICTURE)
    with backend.parts.database.write() as session:
        session.execute(update(CameraRow).values(name="灶台"))
    stranger = backend.client()
    for query in ({}, {"lang": "en"}, {"embed": "1"}, {"lang": "en", "embed": "1"}):
        answer = stranger.get(page, params=query)
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
        told = (answer.text + str(answer.headers)).replace("Restaurant A", "")
        assert [words for words in PRIVATE if words in told] == []
    # Every address that the page names is again one that a stranger may read.
    for address in sorted(set(re.findall(r'(?:href|src)="(/[^"#]*)"', stranger.get(page).text))):
        answer = stranger.get(address.replace("&amp;", "&"))
        assert answer.status_code in {200, 204}, address
        assert answer.content != PICTURE
        if not address.startswith("/static/"):
            assert [words for words in PRIVATE if words in answer.text] == [], address


def test_everything_else_stays_closed_to_strangers(backend: Backend) -> None:
    page = publish(backend)
    number = premises_id(backend)
    stranger = backend.client()
    for path in (
        f"/premises/{number}/plate",
        f"/premises/{number}/plate.pdf",
        f"/premises/{number}/plate.svg",
    ):
        answer = stranger.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login")
    for path in ("public-page", "grades"):
        assert stranger.get(f"/api/v1/premises/{number}/{path}").status_code == 401
        assert stranger.post(f"/api/v1/premises/{number}/{path}").status_code == 401
    for guess in (
        "/p/",
        "/p/1",
        f"/p/{number}",
        page[:-1],
        page.upper(),
        f"{page}x",
        "/p/%00",
        f"{page}/../../cameras",
    ):
        assert stranger.get(guess).status_code in {303, 404, 422}, guess


def test_a_code_cannot_be_guessed_stays_and_can_be_renewed(backend: Backend) -> None:
    first, other = publish(backend), publish(backend, "JY-B")
    assert re.fullmatch(r"/p/[0-9a-z]{20}", first)
    assert first != other
    regulator = backend.logged_in("regulator")
    address = f"/api/v1/premises/{premises_id(backend)}/public-page"
    assert regulator.get(address).json()["url"].endswith(first)
    assert backend.client().get(first).status_code == 200
    second = publish(backend)
    assert second != first
    assert backend.client().get(first).status_code == 404
    assert backend.client().get(second).status_code == 200
    assert regulator.delete(address).status_code == 204
    assert regulator.delete(address).status_code == 204
    assert backend.client().get(second).status_code == 404
    assert regulator.get(address).status_code == 404
    with backend.parts.database.read() as session:
        actions = session.scalars(
            select(AuditRow.action).where(AuditRow.premises_id == premises_id(backend)).order_by(AuditRow.id)
        ).all()
    assert list(actions) == ["public_page_published", "public_code_renewed", "public_page_withdrawn"]


@pytest.mark.parametrize(
    ("username", "status"),
    [("manager_a", 403), ("staff_a", 403), ("manager_b", 403), ("regulator2", 404), ("regulator", 201)],
)
def test_only_supervision_in_charge_publishes_and_grades(
    backend: Backend, username: str, status: int
) -> None:
    person = backend.logged_in(username)
    base = f"/api/v1/premises/{premises_id(backend)}"
    assert person.post(f"{base}/public-page").status_code == status
    body = {"grade": "A", "awarded_on": "2026-03-01"}
    assert person.post(f"{base}/grades", json=body).status_code == status


def test_a_grade_is_never_changed_and_never_from_the_future(backend: Backend) -> None:
    assert award(backend, grade="C", awarded_on="2026-02-01").status_code == 201
    assert award(backend, grade="C", awarded_on="2026-02-01").status_code == 201
    assert award(backend, grade="B", awarded_on="2026-03-02").status_code == 201
    tomorrow = (NOON + timedelta(days=1)).date().isoformat()
    assert award(backend, grade="A", awarded_on=tomorrow).status_code == 422
    assert award(backend, grade="D", awarded_on="2026-02-01").status_code == 422
    listed = backend.logged_in("manager_a").get(f"/api/v1/premises/{premises_id(backend)}/grades").json()
    assert [(one["grade"], one["awarded_on"]) for one in listed] == [("B", "2026-03-02"), ("C", "2026-02-01")]


def test_it_may_be_kept_and_asked_for_again(backend: Backend) -> None:
    page = publish(backend)
    stranger = backend.client()
    first = stranger.get(page)
    assert first.headers["cache-control"] == "public, max-age=60"
    tag = {"if-none-match": first.headers["etag"]}
    again = stranger.get(page, headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    assert stranger.get(page, params={"lang": "en"}, headers=tag).status_code == 200
    award(backend, grade="A", awarded_on="2026-03-01")
    assert stranger.get(page, headers=tag).status_code == 200
    # Somebody who is logged in gets the same, for proxies keep it.
    assert backend.logged_in("admin").get(page).text == stranger.get(page).text


def test_only_this_page_may_stand_in_a_frame(backend: Backend) -> None:
    answer = backend.client().get(publish(backend))
    assert "frame-ancestors *" in answer.headers["content-security-policy"]
    assert "x-frame-options" not in answer.headers
    for path in ("/login", "/p/00000000000000000000", "/healthz"):
        other = backend.client().get(path)
        assert "frame-ancestors 'none'" in other.headers["content-security-policy"]
        assert other.headers["x-frame-options"] == "DENY"


def test_who_asks_too_often_waits(tmp_path: Any) -> None:
    settings: dict[str, Any] = {
        "public": {"requests_per_minute": 5, "embedded_by": ["https://news.example.cn"]}
    }
    with running(tmp_path, clock=ManualClock(NOON), **settings) as backend:
        page = publish(backend)
        stranger = backend.client()
        answers = [stranger.get(page) for _ in range(8)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
        assert int(answers[-1].headers["retry-after"]) > 0
        assert "请求过于频繁" in answers[-1].text
        assert "frame-ancestors https://news.example.cn" in answers[0].headers["content-security-policy"]
        assert backend.logged_in("regulator").get("/cameras").status_code == 200


def check_text(pdf: bytes, path: Path, url: str) -> None:
    """What stands on the plate can be selected, nothing is a photograph of letters, and the code works."""
    path.write_bytes(pdf)
    text = run("pdftotext", str(path), "-")
    for words in ("甲饭店", "许可证编号", "扫一扫", "Scan to look into the kitchen"):
        assert words in text
    assert len(run("pdfimages", "-list", str(path)).splitlines()) == 2  # the heading alone
    fonts = [line.split()[-5:-2] for line in run("pdffonts", str(path)).splitlines()[2:]]
    assert fonts == [["yes"] * 3]  # embedded, a subset, with its text
    run("pdftoppm", "-png", "-r", "150", "-singlefile", str(path), str(path.with_suffix("")))
    with Image.open(path.with_suffix(".png")) as picture:
        assert scanned(np.asarray(picture.convert("L"))) == url


def scanned(plate: npt.NDArray[np.uint8]) -> str:
    """What a phone reads off the whole plate, from near or from further away.

    OpenCV takes Chinese characters beside some codes for a part of the code when it looks once at one size.
    """
    nearer = (
        cv2.resize(plate, None, fx=by, fy=by, interpolation=cv2.INTER_AREA) for by in (1, 0.5, 0.4, 0.75)
    )
    looks = (cv2.QRCodeDetectorAruco().detectAndDecode(look)[0] for look in nearer)
    return next((found for found in looks if found), "")


def run(program: str, *arguments: str) -> str:
    require(program=program, why="what a plate says is read back (apt-get install poppler-utils)")
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout


def test_plates_lead_to_the_page(backend: Backend, tmp_path: Path) -> None:
    page = publish(backend)
    url = backend.parts.settings.public_url + page
    manager = backend.logged_in("manager_a")
    base = f"/premises/{premises_id(backend)}"
    for plate in ("plate", "official-plate"):
        png = manager.get(f"{base}/{plate}.png")
        assert png.headers["content-type"] == "image/png"
        with Image.open(io.BytesIO(png.content)) as picture:
            assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
            pixels = np.asarray(picture.convert("L"))
        assert scanned(pixels) == url
        pdf = manager.get(f"{base}/{plate}.pdf")
        assert pdf.headers["content-type"] == "application/pdf"
        assert pdf.content.startswith(b"%PDF-")
        assert len(pdf.content) < 1_500_000
        check_text(pdf.content, tmp_path / f"{plate}.pdf", url)
    assert manager.get(f"{base}/plate.svg").content.startswith(b"<?xml")
    shown = manager.get(f"{base}/plate").text
    assert url in shown
    assert "D级" in shown
    assert "生成新二维码" not in shown
    assert "生成新二维码" in backend.logged_in("regulator").get(f"{base}/plate").text


def test_plates_of_others_and_of_nobody(backend: Backend) -> None:
    publish(backend)
    publish(backend, "JY-B")
    base = f"/premises/{premises_id(backend)}"
    other = f"/premises/{premises_id(backend, 'JY-B')}"
    manager = backend.logged_in("manager_a")
    for path in (f"{other}/plate", f"{other}/plate.pdf", f"{other}/plate.svg", f"{other}/official-plate.png"):
        assert manager.get(path).status_code == 404
    assert manager.post(f"{base}/plate").status_code == 403
    regulator = backend.logged_in("regulator")
    assert regulator.get(f"{other}/official-plate.pdf").status_code == 404
    assert "尚未指定包保干部" in regulator.get(f"{other}/plate").text
    token = regulator.headers["x-csrf-token"]
    assert regulator.post(f"{other}/plate", data={"csrf_token": token}).status_code == 303


def test_what_is_switched_off_or_closed_is_not_shown(backend: Backend) -> None:
    page = publish(backend)
    make_public(backend, "cam-a1")
    stranger = backend.client()
    assert "cam-a1" in stranger.get(page).text
    with backend.parts.database.write() as session:
        session.execute(update(CameraRow).where(CameraRow.camera_id == "cam-a1").values(enabled=False))
    assert "cam-a1" not in stranger.get(page).text
    assert stranger.get(f"{page}/1.jpg").status_code == 404
    with backend.parts.database.write() as session:
        session.execute(update(PremisesRow).values(active=False))
    assert stranger.get(page).status_code == 404


def test_coverage_ends_a_day_after_the_last_word(backend: Backend) -> None:
    page = publish(backend)
    assert isinstance(backend.clock, ManualClock)
    assert "近一天内没有摄像头在线" in backend.client().get(page).text
    heard(backend, "cam-a2")
    assert "已接入明厨亮灶" in backend.client().get(page).text
    backend.clock.advance(timedelta(hours=25))
    assert "近一天内没有摄像头在线" in backend.client().get(page).text


def test_the_seed_brings_grade_and_page(backend: Backend) -> None:
    def spec(**more: Any) -> dict[str, Any]:
        premises = {"licence_no": "JY-X", "name": "x", "inspection_grade": "A", **more}
        return {"nodes": [{"code": "x", "kind": "grid", "name": "x", "premises": [premises]}]}

    whole = spec(graded_on=date(2026, 3, 1), public_page=True)
    for _ in range(2):
        with backend.parts.database.write() as session:
            apply_district(session, whole, vault=backend.parts.vault, now=NOON)
    number = premises_id(backend, "JY-X")
    admin = backend.logged_in("admin")
    assert len(admin.get(f"/api/v1/premises/{number}/grades").json()) == 1
    url = admin.get(f"/api/v1/premises/{number}/public-page").json()["url"]
    with backend.parts.database.write() as session:
        apply_district(session, whole, vault=backend.parts.vault, now=NOON)
    assert admin.get(f"/api/v1/premises/{number}/public-page").json()["url"] == url
    with pytest.raises(ConfigError, match="belong together"), backend.parts.database.write() as session:
        apply_district(session, spec(), vault=backend.parts.vault, now=NOON)


@pytest.mark.thorough  # ten to twenty seconds
def test_a_stranger_sees_the_hidden_faces_variant_and_never_another(backend: Backend) -> None:
    page = publish(backend)
    stranger = backend.client()
    assert stranger.get(f"{page}/1.jpg").status_code == 404  # no camera is public
    make_public(backend, "cam-a1")
    assert stranger.get(f"{page}/1.jpg").status_code == 204  # its edge is away
    backend_of = backend.parts.public_pictures
    with edge_of(backend) as edge:
        plain: list[str] = []

        async def unhidden() -> bytes:
            plain.append("asked for")
            return CLIP

        edge.cameras["cam-a1"].picture = unhidden
        # An edge that has no such picture gives none; the plain one is never taken instead.
        assert stranger.get(f"{page}/1.jpg").status_code == 204

        async def hidden() -> bytes:
            return PICTURE

        edge.cameras["cam-a1"].public_picture = hidden
        answer = until_picture(stranger, f"{page}/1.jpg")
        assert answer.content == PICTURE
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["cache-control"] == "public, max-age=4"
        assert [stranger.get(f"{page}/1.jpg").content for _ in range(5)] == [PICTURE] * 5
        assert plain == []
        assert len(backend_of) == len(backend.parts.live.pushes) == 1
        with backend.parts.database.write() as session:
            session.execute(update(CameraRow).values(public=False))
        assert stranger.get(f"{page}/1.jpg").status_code == 404


def until_picture(stranger: httpx.Client, path: str) -> httpx.Response:
    for _ in range(100):
        answer = stranger.get(path)
        if answer.status_code == 200:
            return answer
        time.sleep(0.2)
    raise AssertionError("no picture came")
