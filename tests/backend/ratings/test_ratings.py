"""Ratings in a running backend: scope, roll-back, frozen half-years, honours, and what they never touch."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import String, select, update
from sqlalchemy.orm import Session

from kitchen_watch.backend.audit.tables import AuditRow
from kitchen_watch.backend.organisations.tables import NodeRow, PremisesOfficialRow, PremisesRow
from kitchen_watch.backend.presence.tables import CameraDayRow
from kitchen_watch.backend.public.tables import InspectionGradeRow
from kitchen_watch.backend.ratings.figures import ratings_figures
from kitchen_watch.backend.ratings.formula import RatingInputs, rate
from kitchen_watch.backend.ratings.settings import RatingFormula
from kitchen_watch.backend.ratings.snapshots import is_intact
from kitchen_watch.backend.ratings.tables import HonourRow, RatingSnapshotRow
from kitchen_watch.backend.ratings.timer import RatingTimer
from kitchen_watch.clock import ManualClock
from tests.backend.patrols.inspectors import good_answers
from tests.backend.stories import Violation, deliver, opening
from tests.backend.support import NOON, Backend, running

A, B, C = 1, 2, 3
"""The ids of the sample restaurants, in the order in which they were registered."""
RIPE = datetime(2026, 7, 11, 0, 0, tzinfo=UTC)
"""Ten days after the end of the half-year and a little more."""


@pytest.fixture
def district(tmp_path: Path) -> Iterator[Backend]:
    """A has a verified missing hat and an unverified rat; B a verified missing hat."""
    with running(
        tmp_path,
        outgoing={"send_here": False},
        ratings={"look_every_s": 9999.0, "formula": {"self_check": 0}},
    ) as backend:
        deliver(backend, opening(), Violation(code="RODENT", tier=1).tell(), opening("cam-b1"))
        officer = backend.logged_in("regulator")
        for alert_id in (1, 3):
            step(officer, alert_id, "verify")
        advance_to(backend, NOON + timedelta(minutes=1))
        yield backend


def step(who: httpx.Client, alert_id: int, name: str, version: int = 0, **more: Any) -> None:
    answer = who.post(f"/api/v1/alerts/{alert_id}/{name}", json={"version": version, **more})
    assert answer.status_code == 200, answer.text


def rating(who: httpx.Client, premises_id: int = A) -> dict[str, Any]:
    answer = who.get(f"/api/v1/ratings/{premises_id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def advance_to(backend: Backend, at: datetime) -> None:
    assert isinstance(backend.clock, ManualClock)
    backend.clock.set_wall(at)


def freeze(backend: Backend) -> int:
    return RatingTimer(backend.parts.database, backend.clock, backend.parts.settings.ratings).look()


def snapshots(session: Session) -> list[RatingSnapshotRow]:
    return list(session.scalars(select(RatingSnapshotRow).order_by(RatingSnapshotRow.premises_id)))


def test_only_what_is_verified_counts_and_an_upheld_appeal_takes_it_back(district: Backend) -> None:
    officer, manager = district.logged_in("regulator"), district.logged_in("manager_a")
    found = rating(manager)
    assert found["score"] == 97.0
    assert [(line["kind"], line["code"], line["alert_ids"]) for line in found["lines"]] == [
        ("alerts", "NO_HAT", [1])
    ]
    step(officer, 1, "assign", 1)
    step(manager, 1, "appeal", 2, text="she wore her hat")
    assert rating(manager)["score"] == 97.0
    step(district.logged_in("supervisor"), 1, "decide", 3, upheld=True, reason="hidden", note="it is seen")
    assert (rating(manager)["score"], rating(manager)["lines"]) == (100.0, [])


def test_everybody_sees_the_scores_of_their_own_part_of_the_world(district: Backend) -> None:
    ranked = district.logged_in("supervisor").get("/api/v1/ratings").json()
    assert [(line["rank"], line["premises"]["id"], line["score"]) for line in ranked["items"]] == [
        (1, C, 100.0), (2, A, 97.0), (2, B, 97.0),
    ]  # fmt: skip
    mine = district.logged_in("regulator").get("/api/v1/ratings", params={"worst_first": True}).json()
    assert [line["premises"]["id"] for line in mine["items"]] == [B, A]
    assert district.logged_in("manager_a").get("/api/v1/ratings").status_code == 403
    assert district.logged_in("manager_a").get(f"/api/v1/ratings/{B}").status_code == 404
    assert district.logged_in("regulator2").get(f"/api/v1/ratings/{A}").status_code == 404


def test_a_half_year_is_frozen_once_after_its_appeals_and_can_be_calculated_again(district: Backend) -> None:
    advance_to(district, RIPE - timedelta(days=1))
    assert freeze(district) == 0
    advance_to(district, RIPE)
    assert freeze(district) == 3
    assert freeze(district) == 0, "a restarted process looks again"
    with district.parts.database.read() as session:
        kept = snapshots(session)
        assert [(row.premises_id, row.half) for row in kept] == [(A, "2026H1"), (B, "2026H1"), (C, "2026H1")]
        first = kept[0]
        again = rate(RatingInputs.model_validate(first.inputs), RatingFormula.model_validate(first.formula))
        assert (again.score, again.formula_version) == (first.score, first.formula_version)
        assert [line.model_dump(mode="json") for line in again.lines] == first.lines
        assert is_intact(first)
    # what is decided later changes the running score, never the frozen one
    before = district.logged_in("manager_a").get(f"/api/v1/ratings/{A}/snapshots/2026H1").json()
    step(district.logged_in("regulator"), 2, "verify")
    assert district.logged_in("manager_a").get(f"/api/v1/ratings/{A}/snapshots/2026H1").json() == before
    assert (before["intact"], before["reproduced"]) == (True, True)
    with district.parts.database.write() as session:
        session.execute(
            update(RatingSnapshotRow).where(RatingSnapshotRow.premises_id == A).values(score=99.9)
        )
    touched = district.logged_in("manager_a").get(f"/api/v1/ratings/{A}/snapshots/2026H1").json()
    assert (touched["intact"], touched["reproduced"]) == (False, False)


def test_honours_are_awarded_and_withdrawn_with_reasons_and_their_history_stays(district: Backend) -> None:
    officer = district.logged_in("regulator")
    target = f"/api/v1/ratings/{A}/honours"
    answer = officer.post(target, json={"kind": "model_shop", "reason": "后厨整洁"})
    assert answer.status_code == 201, answer.text
    honour = answer.json()
    assert officer.post(target, json={"kind": "model_shop", "reason": "again"}).status_code == 409
    assert officer.post(target, json={"kind": "penalised", "reason": " "}).status_code == 422
    assert officer.get("/api/v1/ratings").json()["items"][0]["honours"] == ["model_shop"]
    assert rating(officer)["score"] == 97.0, "what a person awards changes no point"
    withdrawal = f"/api/v1/ratings/honours/{honour['id']}/withdraw"
    assert district.logged_in("regulator2").post(withdrawal, json={"reason": "no"}).status_code == 404
    assert district.logged_in("official_a").post(withdrawal, json={"reason": "no"}).status_code == 403
    assert officer.post(withdrawal, json={"reason": "复查不合格"}).status_code == 200
    assert officer.post(withdrawal, json={"reason": "twice"}).status_code == 409
    kept = rating(district.logged_in("manager_a"))["honours"]
    assert [(one["reason"], one["withdrawal"], one["awarded_by"]) for one in kept] == [
        ("后厨整洁", "复查不合格", "测试 regulator")
    ]
    with district.parts.database.read() as session:
        written = session.scalars(select(AuditRow.action).where(AuditRow.object_type == "honour")).all()
    assert written == ["honour_awarded", "honour_withdrawn"]


def test_no_score_ever_reaches_one_of_the_three_official_scales(district: Backend) -> None:
    """量化等级, 风险等级 and 包保级别 are what people decided, before and after everything ratings do."""

    def official(session: Session) -> list[Any]:
        return [
            session.execute(select(PremisesRow.id, PremisesRow.risk_grade).order_by(PremisesRow.id)).all(),
            session.execute(select(InspectionGradeRow.premises_id, InspectionGradeRow.grade)).all(),
            session.execute(select(PremisesOfficialRow.premises_id, PremisesOfficialRow.level)).all(),
        ]

    with district.parts.database.write() as session:
        session.execute(update(PremisesRow).where(PremisesRow.id == A).values(risk_grade="C"))
        session.add(
            InspectionGradeRow(
                premises_id=A, grade="A", awarded_on=datetime(2026, 1, 5, tzinfo=UTC).date(),
                recorded_at=district.clock.now(),
            )
        )  # fmt: skip
    with district.parts.database.read() as session:
        before = official(session)
    district.logged_in("regulator").post(
        f"/api/v1/ratings/{A}/honours", json={"kind": "penalised", "reason": "鼠患"}
    )
    advance_to(district, RIPE)
    assert freeze(district) == 3
    with district.parts.database.read() as session:
        assert official(session) == before
    for table in (RatingSnapshotRow, HonourRow):
        letters = [
            column.name
            for column in table.__table__.columns
            if isinstance(column.type, String) and column.type.length == 1
        ]
        assert letters == [], "a column for one letter invites a grade"
    assert not any("grade" in key or "level" in key for key in rating(district.logged_in("manager_a")))


def test_what_officers_found_in_a_check_counts_once_it_is_handed_in(district: Backend) -> None:
    officer = district.logged_in("regulator")
    check = officer.post("/api/v1/patrols", json={"premises_id": A, "kind": "patrol"}).json()
    where = f"/api/v1/patrols/{check['check_id']}"
    answers = good_answers(check)
    plain = (
        key for key, item in items_of(check).items() if item["kind"] == "yes_no" and not item["photo_if_bad"]
    )
    bad = next(plain)
    answers[bad] = {"value": "no" if answers[bad]["value"] == "yes" else "yes"}
    assert rating(officer)["score"] == 97.0
    done = officer.post(f"{where}/complete", json={"version": check["version"], "answers": answers})
    assert done.status_code == 200, done.text
    district.clock.advance(timedelta(minutes=1))  # type: ignore[attr-defined]  # a clock set by hand
    found = rating(officer)
    assert found["score"] == 96.0
    assert found["lines"][-1]["check_ids"] == [check["check_id"]]


def test_cameras_that_were_not_watched_while_open_cost_in_proportion(district: Backend) -> None:
    with district.parts.database.write() as session:
        node_id = session.get_one(PremisesRow, A).node_id
        for day, watched in (("2026-03-01", 1200), ("2026-02-27", 4800), ("2020-01-01", 0)):
            session.add(
                CameraDayRow(
                    camera_id="cam-a1", day=day, premises_id=A, node_id=node_id, counted=9000,
                    online=watched, operating=4800, streamed=watched, watched=watched // 2,
                )
            )  # fmt: skip
    lines = {one["kind"]: one for one in rating(district.logged_in("manager_a"))["lines"]}
    # the running backend counts a few minutes of today as well
    assert lines["unseen"]["of"] == pytest.approx(9600, abs=20)
    assert lines["unseen"]["points"] == pytest.approx(-3.75, abs=0.02)


def items_of(check: dict[str, Any]) -> dict[str, Any]:
    sections = check["form"]["content"]["sections"]
    return {item["key"]: item for section in sections for item in section["items"]}


def test_the_figures_of_a_parent_are_the_sum_of_its_children(district: Backend) -> None:
    advance_to(district, RIPE)
    freeze(district)
    district.logged_in("regulator").post(
        f"/api/v1/ratings/{B}/honours", json={"kind": "warned", "reason": "x"}
    )
    since_at, until_at = RIPE - timedelta(days=1), RIPE + timedelta(days=1)
    with district.parts.database.read() as session:
        paths = {row.code: row.path for row in session.scalars(select(NodeRow))}
        city, one, two = (
            ratings_figures(session, paths[code], since_at, until_at)
            for code in ("city", "district-1", "district-2")
        )
        outside = ratings_figures(session, paths["city"], until_at, until_at + timedelta(days=1))
    assert (city.rated, city.good, city.admonished) == (3, 3, 1)
    for name in ("rated", "score_sum", "good", "fair", "poor", "honoured", "admonished", "withdrawn"):
        assert getattr(city, name) == getattr(one, name) + getattr(two, name), name
    assert outside.rated == 0


def test_the_pages_show_ranking_derivation_and_a_frozen_half_year(district: Backend) -> None:
    officer, manager = district.logged_in("regulator"), district.logged_in("manager_a")
    assert "甲饭店" in officer.get("/ratings").text
    assert (
        officer.get("/ratings", params={"grid": "999", "half": "2020H1", "order": "worst"}).status_code == 200
    )
    token = officer.headers["x-csrf-token"]
    form = {"csrf_token": token, "kind": "commended", "reason": "明厨亮灶示范"}
    assert officer.post(f"/ratings/{A}/honours", data=form).status_code == 303
    assert officer.post(f"/ratings/{A}/honours", data={**form, "reason": ""}).status_code == 422
    shown = manager.get("/ratings", follow_redirects=True).text
    assert "明厨亮灶示范" in shown
    assert 'href="/alerts/1"' in shown
    assert "honour-form" not in shown
    honour = {"csrf_token": token, "reason": "到期"}
    assert officer.post("/ratings/honours/1/withdraw", data=honour).status_code == 303
    assert officer.post("/ratings/honours/1/withdraw", data=honour).status_code == 422
    advance_to(district, RIPE)
    freeze(district)
    again = district.logged_in("manager_a")
    assert "重新计算" in again.get(f"/ratings/{A}/snapshots/2026H1").text
    assert again.get(f"/ratings/{A}/snapshots/2019H1").status_code == 404
    assert again.get(f"/ratings/{A}/snapshots/x").status_code == 404
