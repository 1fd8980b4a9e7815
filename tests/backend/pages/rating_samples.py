"""Sample contents of the pages of ratings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from kitchen_watch.backend.alerts.schemas import PremisesBrief
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.pages.rating_routes import HONOURS, LINES, PROBLEMS
from kitchen_watch.backend.ratings.formula import Line, LineKind
from kitchen_watch.backend.ratings.schemas import (
    HonourView,
    RatingDetail,
    RatingLine,
    RatingPage,
    SnapshotBrief,
    SnapshotDetail,
)
from kitchen_watch.backend.ratings.tables import HonourKind
from tests.backend.pages.samples import AT_HOME, HASH, NOW, person

Pages = dict[str, tuple[str, Person | None, dict[str, Any]]]

SINCE = NOW - timedelta(days=180)


def rating_pages(name: str = "甲饭店") -> Pages:
    """Template, reader and content of each of them."""
    place = PremisesBrief(id=1, name=name, name_en=name, time_zone="Asia/Shanghai", place=name)
    lines = [
        Line(
            kind=kind,
            code=name,
            tier=2,
            count=14,
            each=-3.0,
            of=20,
            most=-9.0,
            points=-4.5,
            alert_ids=tuple(range(14)),
        )
        for kind in LineKind
    ]
    honours = [
        HonourView(
            id=number, premises_id=1, kind=kind, positive=True, reason=name, awarded_by=name, awarded_at=NOW,
            withdrawn_by=name if number else None, withdrawn_at=NOW if number else None, withdrawal=name,
        )
        for number, kind in enumerate(HonourKind)
    ]  # fmt: skip
    brief = SnapshotBrief(half="2025H2", score=88.5, formula_version="1.x", frozen_at=NOW, sha256=HASH)
    detail = RatingDetail(
        premises=place, since_at=SINCE, until_at=NOW, score=61.5, formula_version="1.x", lines=lines,
        honours=honours, snapshots=[brief], may_award=True,
    )  # fmt: skip
    bare = detail.model_copy(update={"lines": [], "honours": [], "snapshots": [], "may_award": False})
    frozen = SnapshotDetail(
        **brief.model_dump(), premises=place, since_at=SINCE, until_at=NOW, lines=lines, inputs={},
        formula={}, intact=False, reproduced=True,
    )  # fmt: skip
    ranked = RatingPage(
        since_at=SINCE, until_at=NOW, half="2025H2", formula_version="1.x", count=7,
        items=[RatingLine(rank=1, premises=place, score=99.5, alerts=3, honours=[*HonourKind])],
    )  # fmt: skip
    nothing = ranked.model_copy(update={"items": [], "count": 0, "half": None, "formula_version": None})
    choices = {"nodes": [], "node_id": None, "halves": ["2025H2"], "worst_first": True}
    words = {"line_words": LINES, "honour_words": HONOURS}
    regulator, owner = person(name=name), person(AT_HOME, name=name)
    return {
        "ratings": ("ratings.html", regulator, {"found": ranked, "honour_words": HONOURS, **choices}),
        "no ratings": ("ratings.html", regulator, {"found": nothing, "honour_words": HONOURS, **choices}),
        "rating": ("rating.html", regulator, {"rating": detail, "problem": PROBLEMS[0], **words}),
        "rating of a restaurant": ("rating.html", owner, {"rating": bare, "problem": None, **words}),
        "frozen rating": ("rating_snapshot.html", owner, {"snapshot": frozen, "line_words": LINES}),
    }
