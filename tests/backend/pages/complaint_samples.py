"""Sample contents of the pages of complaints, holds and retention."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from kitchen_watch.backend.auth.roles import Role
from kitchen_watch.backend.complaints.schemas import (
    ComplaintCounts,
    ComplaintDetail,
    ComplaintEntry,
    ComplaintView,
)
from kitchen_watch.backend.complaints.tables import (
    ComplaintCategory,
    ComplaintChannel,
    ComplaintKind,
    ComplaintState,
    ComplaintStep,
)
from kitchen_watch.backend.holds.schemas import HeldAtEdge, HoldDetail, HoldEntry, HoldView
from kitchen_watch.backend.holds.tables import HoldAct, HoldKind
from kitchen_watch.backend.pages import complaint_words
from kitchen_watch.backend.pages.complaint_routes import PROBLEMS
from kitchen_watch.backend.retention.schemas import (
    DeletionPage,
    DeletionView,
    GoingView,
    PreviewView,
    RetentionView,
    RunView,
)
from kitchen_watch.backend.retention.service import policy_lines
from kitchen_watch.backend.retention.settings import RetentionSettings
from kitchen_watch.backend.retention.tables import DeletedKind, RunKind
from tests.backend.pages.rating_samples import Pages
from tests.backend.pages.samples import HASH, NOW, person
from tests.backend.pages.samples import alert as sample_alert

DAY = timedelta(days=1)


def hold(name: str, kind: HoldKind = HoldKind.PREMISES, **more: Any) -> HoldView:
    values: dict[str, Any] = {
        "id": 1, "kind": kind, "premises_id": 1, "premises": name, "camera_id": None, "camera": None,
        "alert_id": None, "since_at": NOW - DAY, "until_at": NOW + DAY, "reason": name,
        "source": "complaint/1", "placed_by": name, "placed_at": NOW, "ends_at": None,
        "lifted_at": None, "active": True, "can_lift": True,
    }  # fmt: skip
    return HoldView(**values | more)


def holds(name: str) -> list[HoldView]:
    return [
        hold(name),
        hold(name, HoldKind.CAMERA, camera_id="cam-a1", camera=name, source="", ends_at=NOW + DAY),
        hold(name, HoldKind.ALERT, alert_id=7, since_at=None, until_at=None, source="", lifted_at=NOW,
             active=False, can_lift=False),
    ]  # fmt: skip


def complaint(name: str, state: ComplaintState = ComplaintState.RECEIVED) -> ComplaintView:
    waiting = state in {ComplaintState.RECEIVED, ComplaintState.ACCEPTED}
    return ComplaintView(
        id=1, title="投诉〔2026〕1号", channel=ComplaintChannel.HOTLINE_12315, reference=name,
        kind=ComplaintKind.COMPLAINT, category=ComplaintCategory.PESTS, premises_id=1, premises=name,
        premises_en="", grid=name, state=state, version=1, since_at=NOW - DAY, until_at=NOW, filed_at=NOW,
        accept_due_at=NOW + DAY, answer_due_at=NOW + 15 * DAY, due_at=NOW + DAY if waiting else None,
        overdue=False, answered_at=None if waiting else NOW,
    )  # fmt: skip


def complaint_detail(name: str, *, handles: bool) -> ComplaintDetail:
    return ComplaintDetail(
        **dict(complaint(name, ComplaintState.ANSWERED)), text=name, filed_by=name, handler=name,
        complainant=name if handles else None, contact=name if handles else None, handles=handles,
        entries=[
            ComplaintEntry(at=NOW, by=name, step=step, to_state=ComplaintState.RECEIVED, text=name)
            for step in ComplaintStep
        ],
        steps=list(ComplaintStep)[1:], hold=hold(name), alerts=[sample_alert(name)] if handles else [],
        more_alerts=handles, task_id=1,
    )  # fmt: skip


def complaint_pages(name: str) -> Pages:
    """Name, (template, person, content) of each page."""
    officer, admin, words = person(name=name), person(Role.ADMIN, name=name), complaint_words
    place = SimpleNamespace(id=1, name=name, name_en="", licence_no=name, address=name)
    listed: dict[str, Any] = {
        "complaints": [complaint(name, state) for state in ComplaintState], "older": "1",
        "counts": ComplaintCounts(open=2, overdue=1), "view": {"show": "open", "q": name, "find": name},
        "chosen": None, "matches": [place], "form": {}, "problem": None, "words": words,
    }  # fmt: skip
    empty: dict[str, Any] = {
        "complaints": [], "older": None, "chosen": place, "matches": [], "problem": PROBLEMS[0],
        "form": {"text": name}, "view": {"show": "all", "q": "", "find": ""},
    }  # fmt: skip
    edge = HeldAtEdge(edge_id="edge-1", heard_at=NOW, current=False, segments=3, size_bytes=300, packages=1)
    held: dict[str, Any] = {
        "holds": holds(name), "older": "1", "edges": [edge], "lifted": True,
        "form": {"kind": "alert", "what": name}, "problem": None, "words": words,
    }  # fmt: skip
    none: dict[str, Any] = {"holds": [], "older": None, "edges": [], "lifted": False, "form": {}}
    entries = [HoldEntry(at=NOW, by=name, act=act, reason=name) for act in HoldAct]
    run = RunView(
        key="night/2026-03-02", kind=RunKind.NIGHT, started_at=NOW, finished_at=NOW, looked_at=3,
        deleted_files=2, freed_bytes=100, kept_by_holds=1, deleted_entries=0, still_short=False,
    )  # fmt: skip
    deletion = DeletionView(
        id=1, at=NOW, kind=DeletedKind.EVIDENCE, alert_id=7, premises=name, name=name, sha256=HASH,
        size_bytes=10, policy="evidence=365d",
    )  # fmt: skip
    retention = RetentionView(
        policy=policy_lines(RetentionSettings()), run_at="03:30", free_bytes=10, floor_bytes=100,
        short=True, stuck_files=1, active_holds=1, runs=[run],
    )  # fmt: skip
    case = GoingView(
        alert_id=7, code="NO_HAT", premises=name, evidence="evidence=365d", photos=None, held=True
    )
    going = PreviewView(cases=1, kept_by_holds=1, files=2, size_bytes=10, items=[case], more=False)
    gone: dict[str, Any] = {
        "retention": retention, "going": going, "words": words,
        "deletions": DeletionPage(items=[deletion], next_cursor="1"),
    }  # fmt: skip
    nothing = {"retention": None, "going": None, "deletions": DeletionPage(items=[], next_cursor=None)}
    detail = {"words": words, "problem": None, "given": ""}
    return {
        "complaints": ("complaints.html", officer, listed),
        "complaints, none": ("complaints.html", officer, listed | empty),
        "complaint": (
            "complaint.html", officer,
            {**detail, "complaint": complaint_detail(name, handles=True), "problem": PROBLEMS[2]},
        ),
        "complaint of others": (
            "complaint.html", officer, {**detail, "complaint": complaint_detail(name, handles=False)},
        ),
        "holds": ("holds.html", officer, held),
        "holds, none": ("holds.html", officer, held | none),
        "hold": (
            "hold.html", officer,
            {"words": words, "hold": HoldDetail(**dict(hold(name)), entries=entries,
                                                alerts=3, alerts_gone=1)},
        ),
        "retention": ("retention.html", admin, gone),
        "retention, none": ("retention.html", officer, gone | nothing),
    }  # fmt: skip
