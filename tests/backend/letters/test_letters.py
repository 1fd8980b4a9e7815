"""Letters: numbered without gaps, sealed, printed with Chinese in them, confirmed by their addressee."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from kitchen_watch.backend.app import make_relay
from kitchen_watch.backend.audit.tables import AuditRow
from kitchen_watch.backend.deadlines.timer import DeadlineTimer
from kitchen_watch.backend.letters.tables import LetterRow
from kitchen_watch.clock import ManualClock
from tests.backend.stories import Violation, deliver, opening
from tests.backend.support import Backend, running


@pytest.fixture
def district(tmp_path: Path, database_settings: dict[str, Any]) -> Iterator[Backend]:
    settings: dict[str, Any] = {
        "outgoing": {"send_here": False},
        "deadline_look_s": 3600.0,
        **database_settings,
    }
    with running(tmp_path, **settings) as backend:
        deliver(backend, opening(), Violation(code="RODENT", tier=1).tell(), opening("cam-b1"))
        yield backend


def issue(backend: Backend, *alert_ids: int, username: str = "regulator", **more: Any) -> dict[str, Any]:
    body = {"kind": "reminder", "alert_ids": list(alert_ids), **more}
    answer = backend.logged_in(username).post("/api/v1/letters", json=body)
    assert answer.status_code == 201, answer.text
    letter: dict[str, Any] = answer.json()
    return letter


def test_a_letter_is_numbered_addressed_and_about_its_alerts(district: Backend) -> None:
    letter = issue(district, 1, 2, deadline_at="2026-03-02T18:00:00+08:00", text="请立即更换防鼠板。")
    assert letter["reference"] == "一号网格食安提〔2026〕1号"
    assert (letter["addressee"], letter["alert_ids"]) == ("甲饭店", [1, 2])
    assert letter["intact"]
    content = letter["content"]
    assert content["title"] == "提醒函"
    assert content["rows"][0][4] == "未戴厨师帽（疑似）"
    assert "请于2026年3月2日18:00前完成整改，并通过平台提交整改说明和照片。" in content["paragraphs"]
    assert "请立即更换防鼠板。" in content["paragraphs"]
    assert issue(district, 3)["reference"] == "一号网格食安提〔2026〕2号"
    assert issue(district, 3, kind="supervision")["reference"] == "一号网格食安督〔2026〕1号"
    assert issue(district, 3, username="supervisor")["reference"] == "解放街所食安提〔2026〕1号"
    with district.parts.database.read() as session:
        written = session.scalars(select(AuditRow).where(AuditRow.action == "letter_issued")).all()
    assert len(written) == 4


def test_numbers_have_neither_gaps_nor_doubles_when_many_write_at_once(district: Backend) -> None:
    browsers = [district.logged_in("regulator") for _ in range(4)]
    together = threading.Barrier(len(browsers))

    def write(number: int) -> None:
        together.wait()
        for turn in range(5):
            # every second attempt is refused after it has taken its number, or before
            ids = [1] if turn % 2 == 0 else [1, 3]
            browsers[number].post("/api/v1/letters", json={"kind": "reminder", "alert_ids": ids})

    threads = [threading.Thread(target=write, args=[number]) for number in range(len(browsers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with district.parts.database.read() as session:
        numbers = session.scalars(select(LetterRow.number).order_by(LetterRow.number)).all()
    assert numbers == list(range(1, 13))


def test_the_year_is_that_of_the_premises(district: Backend) -> None:
    assert isinstance(district.clock, ManualClock)
    issue(district, 1)
    district.clock.set_wall(district.clock.now().replace(year=2026, month=12, day=31, hour=15, minute=59))
    assert issue(district, 1)["reference"].endswith("〔2026〕2号")
    district.clock.advance(timedelta(minutes=1))
    assert issue(district, 1)["reference"].endswith("〔2027〕1号")


def test_supervision_at_the_deadline_becomes_a_letter_once(district: Backend) -> None:
    assert isinstance(district.clock, ManualClock)
    officer = district.logged_in("regulator")
    for version, step in enumerate(("verify", "assign")):
        assert officer.post(f"/api/v1/alerts/1/{step}", json={"version": version}).status_code == 200
    parts = district.parts
    timer = DeadlineTimer(parts.database, district.clock, parts.settings.deadlines, look_every_s=60)
    district.clock.advance(timedelta(minutes=61))  # the restaurant has not accepted within its hour
    timer.look()
    for _ in range(2):  # a restarted process looks again
        make_relay(parts).look()
    letters = district.logged_in("manager_a").get("/api/v1/letters").json()["items"]
    mine = [one for one in letters if one["alert_ids"] == [1]]
    assert [(one["kind"], one["addressee"], one["issued_by"]) for one in mine] == [
        ("supervision", "甲饭店", None)
    ]
    assert re.fullmatch("解放街所食安督〔2026〕[123]号", mine[0]["reference"])  # the others were not verified
    content = district.logged_in("manager_a").get(f"/api/v1/letters/{mine[0]['id']}").json()["content"]
    assert content["opening"].endswith("逾期未办结，现予第1级督办：")


def test_the_pdf_opens_has_chinese_text_and_its_font(district: Backend, tmp_path: Path) -> None:
    letter = issue(district, 1, 2, text="请于今日闭店前更换防鼠板，并将照片上传。")
    answer = district.logged_in("manager_a").get(f"/api/v1/letters/{letter['id']}/pdf")
    assert answer.headers["content-type"] == "application/pdf"
    file = tmp_path / "letter.pdf"
    file.write_bytes(answer.content)
    assert len(answer.content) < 100_000
    text = re.sub(r"\s", "", _run("pdftotext", "-layout", file, "-"))
    for words in (
        "提醒函",
        letter["reference"],
        "甲饭店：",
        "未戴厨师帽（疑似）",
        "老鼠（疑似）",
        "请于今日闭店前更换防鼠板，并将照片上传。",
        "2026年3月2日",
    ):
        assert words in text, words
    fonts = _run("pdffonts", file).splitlines()[2:]
    assert fonts
    for line in fonts:
        assert line.split()[-5:-2] == ["yes", "yes", "yes"], line  # embedded, a subset, with its text
    again = district.logged_in("regulator").get(f"/api/v1/letters/{letter['id']}/pdf")
    assert again.content == answer.content


def test_no_sign_of_a_letter_is_missing_in_the_font() -> None:
    from fontTools.ttLib import TTCollection
    from noto_cjk_sans_otc import FONT_PATH

    from kitchen_watch.backend.letters import content, pdf

    font = TTCollection(str(FONT_PATH)).fonts[pdf.SIMPLIFIED_CHINESE]
    known = font.getBestCmap()
    written = Path(content.__file__).read_text(encoding="utf-8") + "囧㸆龘鮟鱇"
    assert [sign for sign in written if ord(sign) > 127 and ord(sign) not in known] == []


def test_a_changed_file_or_content_is_never_handed_out(district: Backend) -> None:
    letter = issue(district, 1)
    address = f"/api/v1/letters/{letter['id']}/pdf"
    manager = district.logged_in("manager_a")
    content = manager.get(address).content
    file = next(district.parts.settings.letters_dir.glob("*.pdf"))
    file.write_bytes(content.replace(b"%PDF-1.", b"%PDF-2."))
    assert manager.get(address).status_code == 409
    file.unlink()  # a lost file is made again, the same to the byte
    assert manager.get(address).content == content
    with district.parts.database.write() as session:
        row = session.get_one(LetterRow, letter["id"])
        session.execute(update(LetterRow).values(content={**row.content, "addressee": "乙饭店："}))
    assert manager.get(address).status_code == 409
    assert not manager.get(f"/api/v1/letters/{letter['id']}").json()["intact"]
    with district.parts.database.read() as session:
        damaged = session.scalars(select(AuditRow).where(AuditRow.action == "letter_found_damaged")).all()
    assert len(damaged) == 2


def test_the_addressee_confirms_it_once(district: Backend) -> None:
    letter = issue(district, 1)
    address = f"/api/v1/letters/{letter['id']}/acknowledge"
    assert district.logged_in("regulator").post(address, json={}).status_code == 403
    assert district.logged_in("manager_b").post(address, json={}).status_code == 404
    answer = district.logged_in("staff_a").post(address, json={"note": "已收到"})
    assert answer.json()["receipt"] == {
        "person": "测试 staff_a",
        "at": "2026-03-02T04:00:00Z",
        "note": "已收到",
    }
    assert district.logged_in("manager_a").post(address, json={}).status_code == 409
    internal = issue(district, 1, username="supervisor", premises_side=False)
    address = f"/api/v1/letters/{internal['id']}/acknowledge"
    assert internal["addressee"] == "一号网格"
    assert district.logged_in("manager_a").get(f"/api/v1/letters/{internal['id']}").status_code == 404
    assert district.logged_in("regulator").post(address, json={}).status_code == 200


def test_who_may_write_and_read(district: Backend) -> None:
    letter = issue(district, 1)
    refused = {"kind": "reminder", "alert_ids": [1]}
    for username in ("manager_a", "staff_a"):
        assert district.logged_in(username).post("/api/v1/letters", json=refused).status_code == 403
    assert district.logged_in("regulator2").post("/api/v1/letters", json=refused).status_code == 404
    for username in ("manager_b", "regulator2", "supervisor2"):
        browser = district.logged_in(username)
        assert browser.get(f"/api/v1/letters/{letter['id']}").status_code == 404
        assert browser.get(f"/api/v1/letters/{letter['id']}/pdf").status_code == 404
        assert browser.get("/api/v1/letters").json()["items"] == []
    officer = district.logged_in("regulator")
    two = {"kind": "reminder", "alert_ids": [1, 3]}
    assert officer.post("/api/v1/letters", json=two).status_code == 422
    late = {"kind": "reminder", "alert_ids": [1], "deadline_at": "2026-03-01T00:00:00Z"}
    assert officer.post("/api/v1/letters", json=late).status_code == 422
    officer.post("/api/v1/alerts/1/reject", json={"version": 0, "reason": "too_small"})
    assert officer.post("/api/v1/letters", json=refused).status_code == 409


def test_the_same_request_twice_is_one_letter(district: Backend) -> None:
    officer = district.logged_in("regulator")
    body = {"kind": "reminder", "alert_ids": [1]}
    key = {"idempotency-key": "letter-0001"}
    first = officer.post("/api/v1/letters", json=body, headers=key)
    assert officer.post("/api/v1/letters", json=body, headers=key).json() == first.json()
    assert len(officer.get("/api/v1/letters").json()["items"]) == 1


def _run(*command: object) -> str:
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout
