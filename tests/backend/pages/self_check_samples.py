"""Sample contents of the pages of self-checks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from kitchen_watch.backend.alerts.states import AlertState
from kitchen_watch.backend.forms.answers import Answer
from kitchen_watch.backend.forms.content import Choice, FormContent, FormKind, Item, ItemKind, Section
from kitchen_watch.backend.pages.self_check_routes import PROBLEMS, SPANS
from kitchen_watch.backend.pages.self_check_words import KINDS
from kitchen_watch.backend.self_checks.schemas import (
    ClosureView,
    DueView,
    MissingList,
    MissingView,
    PeriodAlert,
    SelfCheckBrief,
    SelfCheckDetail,
    SelfCheckPage,
    SelfCheckPhoto,
)
from tests.backend.pages.rating_samples import Pages
from tests.backend.pages.samples import AT_HOME, HASH, NOW, person

CHOICES = (Choice(key="one", name="一"), Choice(key="two", name="二", good=False))


def form(name: str) -> FormContent:
    """One item of every kind."""
    items = (
        Item(key="hats", name=name, name_en=name, photo_if_bad=True),
        Item(key="pick", name=name, kind=ItemKind.CHOICE, choices=CHOICES, required=False),
        Item(key="cold", name=name, kind=ItemKind.NUMBER, unit="°C", minimum=0, maximum=8),
        Item(key="words", name=name, kind=ItemKind.TEXT, required=False),
    )
    return FormContent(name=name, sections=(Section(key="people", name=name, items=items),))


def self_check_pages(name: str = "甲饭店") -> Pages:
    """Template, reader and content of each of them."""
    brief = SelfCheckBrief(
        id=7, premises_id=1, premises=name, kind=FormKind.DAILY, period="2026-03-02", revision=2, due_at=NOW,
        submitted_at=NOW, submitted_by=name, late=True, findings=1,
    )  # fmt: skip
    draft = brief.model_copy(update={"submitted_at": None, "submitted_by": None, "late": False})
    answers = {
        "hats": Answer(value="no", note=name), "pick": Answer(value="two"), "cold": Answer(value=4.5),
        "words": Answer(value=name),
    }  # fmt: skip
    photo = SelfCheckPhoto(photo_id=1, item="hats", url="/api/v1/self-checks/7/photos/1", width=4, height=3)
    check = SelfCheckDetail(
        **brief.model_dump(), form_name=name, form_version=3, form_sha256=HASH, content=form(name),
        answers=answers, problems={},
        alerts=[PeriodAlert(alert_id=1, code=name, tier=2, state=AlertState.CLOSED, found_at=NOW)],
        photos=[photo], version=2, corrects_id=3, corrected_by_id=9, reason=name, sha256=HASH,
        may_edit=False, may_correct=True,
    )  # fmt: skip
    filling = check.model_copy(
        update={"submitted_at": None, "problems": {"hats": "x", "cold": "x"}, "alerts": [], "may_edit": True}
    )
    shown: dict[str, Any] = {
        "answers": answers, "photos": {"hats": [photo]}, "kinds": KINDS, "given": {}, "marked": True,
    }  # fmt: skip
    due = [
        DueView(kind=FormKind.DAILY, period="2026-03-02", due_at=NOW + timedelta(hours=5), overdue=False,
                check_id=7),
        DueView(kind=FormKind.WEEKLY, period="2026-W09", due_at=NOW - timedelta(days=1), overdue=True,
                check_id=None),
    ]  # fmt: skip
    closed = ClosureView(
        id=1, premises_id=1, first_day=NOW.date(), last_day=NOW.date(), reason=name, entered_by=name, at=NOW
    )
    line = MissingView(
        premises_id=1, premises=name, node_id=1, grid=name, kind=FormKind.MONTHLY, period="2026-02",
        due_at=NOW, reminded_at=NOW,
    )  # fmt: skip
    missing = MissingList(
        since_at=NOW, until_at=NOW, due=9, submitted=3, late=1, missing=6, more=True,
        items=[line, line.model_copy(update={"reminded_at": None})],
    )  # fmt: skip
    none = missing.model_copy(update={"items": [], "more": False})
    came = SelfCheckPage(items=[brief, draft], next_cursor="3")
    nothing = SelfCheckPage(items=[], next_cursor=None)
    regulator, owner = person(name=name), person(AT_HOME, name=name)
    own = {"kinds": KINDS, "problem": PROBLEMS["period"]}
    listed: dict[str, Any] = {"nodes": [], "node_id": None, "days": 7, "spans": SPANS, "kinds": KINDS}
    return {
        "self-checks": ("self_checks.html", owner, {"due": due, "came": came, "closed": [closed], **own}),
        "self-checks, all done": (
            "self_checks.html", owner, {"due": [], "came": nothing, "closed": [], **own},
        ),
        "missing self-checks": (
            "self_checks_missing.html", regulator, {"missing": missing, "came": came, **listed},
        ),
        "no missing self-checks": (
            "self_checks_missing.html", regulator, {"missing": none, "came": nothing, **listed},
        ),
        "self-check": ("self_check.html", owner, {"check": check, "problem": None, **shown}),
        "self-check, to fill": (
            "self_check.html", owner, {"check": filling, "problem": PROBLEMS["incomplete"], **shown},
        ),
    }  # fmt: skip
