"""Sample contents of the pages of patrols."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.forms.answers import Answer, ProblemCode
from kitchen_watch.backend.forms.content import FormContent, FormKind
from kitchen_watch.backend.forms.schemas import FormView
from kitchen_watch.backend.pages import patrol_words
from kitchen_watch.backend.pages.languages import choose
from kitchen_watch.backend.pages.patrol_routes import OFFICERS, sweep_chart
from kitchen_watch.backend.patrols.schemas import (
    AbsenceView,
    CheckFilters,
    CheckPage,
    CheckView,
    FindingPhotoView,
    FindingView,
    PersonBrief,
    PictureView,
    PremisesShort,
    QueueItem,
    QueueView,
    RoundView,
    SweepView,
    UnitView,
    WarningView,
)
from kitchen_watch.backend.patrols.tables import CheckReason, CheckState, PictureSource
from kitchen_watch.control import CameraState
from tests.backend.pages.samples import AT_HOME, HASH, NOW, camera, person

Pages = dict[str, tuple[str, Person | None, dict[str, Any]]]

DAY = timedelta(days=1)


def patrol_pages(name: str = "甲饭店") -> Pages:
    """Template, reader and content of each of them."""
    officer, owner = person(name=name), person(AT_HOME, name=name)
    words: dict[str, Any] = {"words": patrol_words, "officers_kinds": OFFICERS}
    done, begun = check(name, CheckState.COMPLETED), check(name, CheckState.OPEN, mine=True)
    fill = {
        "check": begun, "cameras": [camera(name, CameraState.STREAMING)], "purpose": "patrol 7", "told": True,
        "problems": {"hats": ProblemCode.PHOTO_MISSING}, "pictures": {"hats": begun.pictures},
        "today": "2026-03-02", "due_on": "2026-03-09", "early": True, "fields": {}, "refused": name,
    }  # fmt: skip
    checks = {"nodes": [], "filters": CheckFilters(), "days": {"from": "", "to": ""}, "filtered": True}
    found = CheckPage(items=[done, begun], next_cursor="6")
    sweep_ = sweep(name)
    brief = PersonBrief(id=1, name=name)
    away = AbsenceView(id=1, person=brief, since_at=NOW, until_at=None, note=name)
    plan = {"away": [away], "officers": [brief], "today": "2026-03-02"}
    chart = sweep_chart(choose("en"), sweep_)
    nothing = SweepView(
        at=NOW, premises=0, looked_at=0, due=0, late_now=0, will_be_late=0, units=[], warnings=[]
    )
    pages: Pages = {
        "queue": (
            "patrols/queue.html", officer,
            {"queue": queue(name), "sweep": sweep_, "mine": [begun], "refused": name},
        ),
        "empty queue": (
            "patrols/queue.html", officer,
            {"queue": QueueView(items=[], total=0, due=0, late=0), "sweep": nothing}
            | {"mine": [], "refused": ""},
        ),
        "patrol": ("patrols/fill.html", officer, fill),
        "patrol without cameras": (
            "patrols/fill.html", officer,
            {**fill, "cameras": [], "told": False, "refused": "", "fields": {"a.hats": "no", "n.hats": name}},
        ),
        "check": ("patrols/check.html", officer, {"check": done, "refused": name}),
        "check of one's own": ("patrols/check.html", owner, {"check": done, "refused": ""}),
        "announced check": (
            "patrols/check.html", owner,
            {"check": begun.model_copy(update={"answers": {}, "announced": True}), "refused": ""},
        ),
        "checks": ("patrols/checks.html", officer, {**checks, "found": found, "older": "after=6"}),
        "no checks": (
            "patrols/checks.html", owner,
            {**checks, "found": CheckPage(items=[], next_cursor=None), "older": "", "filtered": False},
        ),
        "sweep": ("patrols/sweep.html", officer, {"sweep": sweep_, "chart": chart, "refused": name, **plan}),
        "nothing to sweep": (
            "patrols/sweep.html", officer,
            {"sweep": nothing, "chart": None, "refused": "", "today": "", "away": [], "officers": []},
        ),
    }  # fmt: skip
    return {key: (template, who, {**words, **content}) for key, (template, who, content) in pages.items()}


def patrol_parts(name: str = "甲饭店") -> Pages:
    """What a script fetches."""
    begun = check(name, CheckState.OPEN, mine=True)
    content = {"check": begun, "item": "hats", "pictures": begun.pictures}
    answer = {"check": check(name, CheckState.COMPLETED), "one": finding(name, "premises")}
    return {
        "pictures of an item": ("patrols/tray.html", person(name=name), content),
        "photos of an answer": ("patrols/answer_tray.html", person(AT_HOME, name=name), answer),
    }


def premises(name: str) -> PremisesShort:
    return PremisesShort(
        id=1, name=name, name_en=name, address=name, place=f"银川市 › {name}", time_zone="Asia/Shanghai",
        risk_grade="D",
    )  # fmt: skip


def queue(name: str) -> QueueView:
    items = [
        QueueItem(
            premises=premises(name), last_looked_at=NOW - 40 * DAY if number else None, cameras=number,
            target_at=NOW - DAY, limit_at=NOW + number * DAY,
            taken_by=PersonBrief(id=1, name=name) if number == 2 else None,
        )
        for number in range(3)
    ]  # fmt: skip
    return QueueView(items=items, total=9, due=3, late=1)


def sweep(name: str) -> SweepView:
    units = [
        UnitView(
            node_id=number, node_name=name, node_name_en=name, premises=5, looked_at=3, due=1, late_now=0,
            officers=number, capacity=8 * number, needed=2, will_be_late=0 if number else 1,
            first_late_at=None if number else NOW + DAY, late_premises=[] if number else [premises(name)],
        )
        for number in range(2)
    ]  # fmt: skip
    warning = WarningView(
        node_id=1, node_name=name, node_name_en=name, day="2026-03-01", at=NOW - DAY, late=1,
        first_late_at=NOW + DAY, capacity=0, needed=2,
    )  # fmt: skip
    return SweepView(
        at=NOW, premises=10, looked_at=6, due=2, late_now=0, will_be_late=1, units=units, warnings=[warning]
    )


def check(name: str, state: CheckState, *, mine: bool = False) -> CheckView:
    finished = state is CheckState.COMPLETED
    return CheckView(
        check_id=7, premises=premises(name), kind=FormKind.PATROL, reason=CheckReason.SWEEP, announced=False,
        planned_at=None if finished else NOW + DAY, state=state, by=PersonBrief(id=1, name=name),
        taken_at=NOW - DAY, lapses_at=NOW + DAY, finished_at=NOW if finished else None, items=4, answered=3,
        findings=2, findings_open=1, version=3, note=name, mine=mine, form=form(name), problems=[], views=4,
        answers={
            "hats": Answer(value="no", note=name), "fridge": Answer(value=9.5),
            "overall": Answer(value="poor"), "remarks": Answer(value=name),
        },
        pictures=[
            PictureView(
                picture_id=1, item="hats", source=source, camera_id=None, at=NOW, sha256=HASH, width=640,
                height=480, url="/api/v1/patrols/7/pictures/1",
            )
            for source in PictureSource
        ],
        finding_list=[finding(name, "premises"), finding(name, "officer"), finding(name, "nobody")],
    )  # fmt: skip


def finding(name: str, waits_for: Any) -> FindingView:
    by = PersonBrief(id=2, name=name)
    judged = waits_for != "officer"
    return FindingView(
        finding_id=len(waits_for), item="hats" if waits_for != "nobody" else "", value="no", text=name,
        item_name=name if waits_for != "nobody" else "", item_name_en="", due_at=NOW + DAY, overdue=False,
        waits_for=waits_for,
        rounds=[
            RoundView(
                at=NOW, by=by, text=name, judged_at=NOW if judged else None, judged_by=by if judged else None,
                accepted=waits_for == "nobody" if judged else None, note=name,
                photos=[photo(name), photo(name, deleted=True)],
            )
        ],
        loose_photos=[photo(name)],
    )  # fmt: skip


def photo(name: str, *, deleted: bool = False) -> FindingPhotoView:
    return FindingPhotoView(
        photo_id=1, by=PersonBrief(id=2, name=name), at=NOW, sha256=HASH, width=640, height=480,
        url="/api/v1/patrols/findings/1/photos/1", deleted=deleted,
    )  # fmt: skip


def form(name: str) -> FormView:
    named = {"name": name, "name_en": name}
    choices = [{"key": "good", **named}, {"key": "poor", **named, "good": False}]
    limits = {"unit": "°C", "minimum": 0, "maximum": 8}
    items = [
        {"key": "hats", **named, "photo_if_bad": True},
        {"key": "fridge", **named, "kind": "number", **limits},
        {"key": "overall", **named, "kind": "choice", "choices": choices},
        {"key": "remarks", **named, "kind": "text", "required": False},
    ]
    content = FormContent.model_validate({**named, "sections": [{"key": "all", **named, "items": items}]})
    return FormView(
        id=1, version_id=1, code="online-patrol", kind=FormKind.PATROL, version=1, newest=2, retired=False,
        content=content, sha256=HASH, published_at=NOW, published_by=name, note=name,
    )  # fmt: skip
