"""Sample contents of every page, so that templates can be looked at without a database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from kitchen_watch.backend.alerts.lifecycle import FalseAlarmReason, Step
from kitchen_watch.backend.alerts.schemas import (
    AlertCounts,
    AlertDetail,
    AlertEvent,
    AlertSummary,
    CameraBrief,
    EvidenceView,
    ManifestView,
    PremisesBrief,
)
from kitchen_watch.backend.alerts.states import AlertState
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.roles import Role
from kitchen_watch.backend.deadlines.board import BoardGroup
from kitchen_watch.backend.deadlines.clocks import ClockStep, MomentKind
from kitchen_watch.backend.edges.schemas import EdgeView
from kitchen_watch.backend.evidence.tables import LinkState
from kitchen_watch.backend.handling.schemas import (
    AppealView,
    CaseView,
    DeadlineView,
    NoticeView,
    PersonBrief,
    PhotoView,
    RectificationView,
    TransitionView,
)
from kitchen_watch.backend.handling.tables import StatementKind
from kitchen_watch.backend.organisations.overview import CameraOverview
from kitchen_watch.backend.organisations.schemas import CameraView, NodeView, PremisesView
from kitchen_watch.backend.organisations.scope import Scope
from kitchen_watch.backend.organisations.tables import AreaType, NodeKind
from kitchen_watch.backend.pages.alert_page import Choices, Refused, history
from kitchen_watch.backend.pages.feed_query import FeedQuery
from kitchen_watch.backend.pages.handling_routes import Act
from kitchen_watch.backend.pages.languages import choose
from kitchen_watch.backend.pages.rendering import Frame
from kitchen_watch.backend.pages.wording import PURPOSES
from kitchen_watch.backend.public.schemas import GradeView, PublicCamera, PublicPageView, PublicPremises
from kitchen_watch.control import CameraState, TurnStatus
from kitchen_watch.events import DetectionSeen, EventKind, EvidenceKind, ModelUsed, RuleUsed
from tests.backend.pages.report_samples import report_pages

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
ID = UUID(int=7)
HASH = "ab" * 32

AT_HOME = Role.PREMISES_MANAGER


def person(role: Role = Role.GRID_OFFICER, *, name: str = "王建国", one_time: bool = False) -> Person:
    return Person(
        id=1,
        username="wang",
        display_name=name,
        role=role,
        scope=Scope(),
        scope_name=name,
        premises_id=1 if role is AT_HOME else None,
        node_id=1,
        locale=None,
        must_change_password=one_time,
        session_key="key",
        csrf_token="token-1",
    )


def frame(language: str = "zh", who: Person | None = None, theme: str = "auto") -> Frame:
    return Frame(choose(language), theme, who, NOW, "/alerts?tier=1")


def alert(name: str = "甲饭店", **more: Any) -> AlertSummary:
    return AlertSummary(**_alert(name, **more))


def _alert(name: str, **more: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "alert_id": 12,
        "code": "NO_HAT",
        "tier": 2,
        "state": AlertState.PENDING_VERIFICATION,
        "found_at": NOW - timedelta(minutes=3),
        "occurred_at": NOW - timedelta(minutes=3, seconds=4),
        "server_offset_ms": 4200,
        "started_at": NOW - timedelta(minutes=3, seconds=14),
        "last_seen_at": NOW - timedelta(minutes=1),
        "ended_at": None,
        "updated_at": NOW,
        "confidence": 0.83,
        "zone_id": "stove-1",
        "detail": name,
        "reopenings": 0,
        "premises": PremisesBrief(
            id=1, name=name, name_en=name, time_zone="Asia/Shanghai", place=f"银川市 › {name}"
        ),
        "camera": CameraBrief(
            camera_id="cam-a1", name=name, name_en="", area_type=AreaType.STOVE, zone_type="cooking"
        ),
        "snapshot_url": "/media/evidence/token",
        "clip_ready": True,
        "evidence_sound": True,
    }
    return values | more


def evidence_file(kind: EvidenceKind, *, complete: bool = True) -> EvidenceView:
    return EvidenceView(
        file_id=1,
        name=f"{kind}.bin",
        kind=kind,
        media_type="video/mp4" if kind is EvidenceKind.CLIP else "image/jpeg",
        size_bytes=200_000,
        sha256=HASH,
        received_bytes=200_000 if complete else 50_000,
        complete=complete,
        starts_at=NOW,
        ends_at=NOW + timedelta(seconds=15) if kind is EvidenceKind.CLIP else None,
        url=f"/media/evidence/{kind}" if complete else None,
    )


def manifest(*files: EvidenceView, link: LinkState = LinkState.LINKED) -> ManifestView:
    return ManifestView(
        manifest_id=ID,
        chain_index=41,
        sha256=HASH,
        previous_sha256="0" * 64,
        created_at=NOW,
        received_at=NOW,
        link=link,
        link_reason=None if link is LinkState.LINKED else "why not",
        files=list(files),
    )


def alert_page(name: str = "甲饭店", *, clip_complete: bool = True, **more: Any) -> AlertDetail:
    events = [
        AlertEvent(
            event_id=ID,
            kind=kind,
            sequence=sequence,
            occurred_at=NOW,
            server_offset_ms=4200,
            received_at=NOW,
            confidence=0.8,
            detail=name,
        )
        for sequence, kind in enumerate(EventKind)
    ]
    parameters = {"held_s": 10, "fraction": 0.7, "labels": ["no_hat"], "made_up": name}
    values = {
        "violation_id": ID,
        "edge_id": "edge-1",
        "model": ModelUsed(name=name, version="0.3", sha256=HASH, precision="bf16"),
        "rule": RuleUsed(rule_id="NO_HAT", version="0a1b2c3d4e5f", parameters=parameters),
        "detections": [DetectionSeen(label=name, confidence=0.8, box=(0.1, 0.1, 0.2, 0.2))],
        "events": events,
        "missing_events": 0,
        "manifests": [
            manifest(evidence_file(EvidenceKind.CLEAN), evidence_file(EvidenceKind.ANNOTATED)),
            manifest(evidence_file(EvidenceKind.CLIP, complete=clip_complete)),
        ],
    }
    return AlertDetail(**_alert(name, **(values | more)))


def case(name: str = "甲饭店", **more: Any) -> CaseView:
    """A case in the middle of its life, with everything in it that a page shows."""
    who = PersonBrief(id=1, name=name)
    photo = PhotoView(
        photo_id=7, uploaded_at=NOW, width=640, height=480, url="/api/v1/alerts/12/photos/7", submitted=True
    )
    values: dict[str, Any] = {
        "alert_id": 12,
        "state": AlertState.SUBMITTED,
        "version": 5,
        "due_at": NOW + timedelta(minutes=40),
        "overdue": False,
        "reminders": 1,
        "supervision_level": 1,
        "premises_owner": who,
        "territory_owner": who,
        "steps": [Step.CLOSE, Step.RETURN],
        "transitions": [
            TransitionView(
                version=1,
                at=NOW,
                by=who,
                step=Step.VERIFY,
                from_state=AlertState.PENDING_VERIFICATION,
                to_state=AlertState.VERIFIED,
                reason="steam_or_smoke",
                note=name,
                merged_into=3,
            )
        ],
        "deadlines": [
            DeadlineView(step=ClockStep.FIX, started_at=NOW, due_at=NOW, settled_at=None, met=None),
            DeadlineView(step=ClockStep.VERIFY, started_at=NOW, due_at=NOW, settled_at=NOW, met=True),
            DeadlineView(step=ClockStep.ACCEPT, started_at=NOW, due_at=NOW, settled_at=NOW, met=False),
        ],
        "notices": [
            NoticeView(
                kind=MomentKind.SUPERVISION,
                number=1,
                level=1,
                step=ClockStep.FIX,
                for_premises=True,
                at=NOW,
                by=None,
                note=name,
            )
        ],
        "appeals": [
            AppealView(at=NOW, by=who, text=name, decided_at=None, decided_by=None, upheld=None, decision="")
        ],
        "rectifications": [
            RectificationView(
                kind=StatementKind.RECTIFICATION,
                at=NOW,
                by=who,
                text=name,
                photos=[photo],
                reviewed_at=reviewed_at,
                reviewed_by=None if reviewed_at is None else who,
                accepted=None if reviewed_at is None else False,
                review=name,
            )
            for reviewed_at in (NOW, None)
        ],
        "loose_photos": [photo],
    }
    return CaseView(**(values | more))


EVERY_STEP = (*(act.value for act in Act if act not in {Act.REMIND, Act.SUPERVISE}),)


def handled(name: str = "甲饭店", *, steps: tuple[str, ...] = EVERY_STEP, **more: Any) -> dict[str, Any]:
    """What the templates of one alert are told beside the alert itself."""
    shown = case(name, **more)
    return {
        "after": 5,
        "case": shown,
        "history": history(shown),
        "reasons": tuple(FalseAlarmReason),
        "refused": None,
        "choices": Choices(
            steps=steps,
            owners=(None, PersonBrief(id=1, name=name)),
            others=(alert(name, alert_id=11),),
            may_upload=True,
            may_press=True,
            highest_level=4,
        ),
    }


def camera(name: str = "灶台", state: CameraState | None = CameraState.STREAMING, **more: Any) -> CameraView:
    values: dict[str, Any] = {
        "camera_id": "cam-a1",
        "name": name,
        "name_en": "",
        "area_type": AreaType.STOVE,
        "zone_type": "cooking",
        "public": False,
        "premises_id": 1,
        "premises_name": name,
        "edge_id": "edge-1",
        "state": state,
        "since_at": NOW - timedelta(hours=2) if state else None,
        "reason": name if state is CameraState.OFFLINE else None,
        "heard_at": NOW if state else None,
        "width": 1920 if state else None,
        "height": 1080 if state else None,
        "codec": "h264" if state else None,
        "frame_age_ms": 180 if state else None,
        "frames_received": 1000,
        "frames_analysed": 200,
        "frames_dropped": 3,
        "open_alerts": 1,
    }
    return CameraView(**(values | more))


def in_turn(*, kept: bool = False) -> TurnStatus:
    return TurnStatus(watched_now=kept, kept=kept, share=0.125, watch_s=30, revisit_s=210)


def premises(name: str = "甲饭店", **more: Any) -> PremisesView:
    values: dict[str, Any] = {
        "id": 1,
        "licence_no": "JY-A",
        "name": name,
        "name_en": "",
        "business_type": "restaurant",
        "address": name,
        "node_id": 1,
        "place": f"银川市 › {name}",
        "time_zone": "Asia/Shanghai",
        "hours": {},
        "responsible_person": name,
        "phone": "",
        "camera_count": 1,
        "open_alerts": 1,
    }
    return PremisesView(**(values | more))


def public_page(name: str = "甲饭店", *, bare: bool = False) -> dict[str, Any]:
    """Content of a public page; ``bare`` has neither grade nor cameras."""
    shown = PublicPremises(
        name=name,
        name_en=name,
        licence_no="JY-A",
        responsible_person=name,
        grade=None if bare else GradeView(grade="A", awarded_on=NOW.date(), authority=name),
        covered=not bare,
        areas=() if bare else (AreaType.STOVE,),
        cameras=() if bare else (PublicCamera(number=1, name=name, name_en=name, area_type=AreaType.STOVE),),
    )
    return {"premises": shown, "code": "0123456789abcdefghjk", "embedded": False, "every": 5}


def edge(name: str = "机房", *, connected: bool = True) -> EdgeView:
    return EdgeView(
        edge_id="edge-1",
        name=name,
        enabled=True,
        camera_ids=["cam-a1"],
        connected=connected,
        connected_at=NOW,
        last_heard_at=NOW if connected else None,
        clock_offset_ms=-4200,
        software_version="0.1.0",
        outbox_pending=2,
        outbox_oldest_s=30.0,
        dead_letters=0 if connected else 1,
        disk_free_bytes=40_000_000_000,
        warnings=[name],
        configuration_version=None,
        offered_version=None,
        configuration_accepted=None,
        configuration_reason=None,
    )


def every_page(name: str = "甲饭店") -> Mapping[str, tuple[str, Person | None, dict[str, Any]]]:
    """Template, reader and content of every whole page; ``name`` stands wherever outsiders write."""
    regulator, owner = person(name=name), person(AT_HOME, name=name)
    cameras = [
        camera(name), camera(name, CameraState.OFFLINE), camera(name, None),
        camera(name, frames_still=500, turns=in_turn(), judged_share=0.5),
        camera(name, turns=in_turn(kept=True)),
    ]  # fmt: skip
    by_state = Counter(str(one.state or "unknown") for one in cameras)
    counts = AlertCounts(open_by_tier={2: 1}, found_today=3)
    feed = {
        "query": FeedQuery(),
        "after": 5,
        "counts": counts,
        "places": [premises(name)],
        "older_href": None,
    }
    nothing = {**feed, "alerts": [], "query": FeedQuery(camera_id=name)}
    home = {"after": 5, "counts": counts, "places": [premises(name)], "cameras": cameras}
    many: dict[str, Any] = {"total": 233, "found": 120, "words": "灶", "first": 0, "per_page": 100}
    many |= {"base": "/cameras?words=%E7%81%B6&from="}
    wall: dict[str, Any] = {
        "words": "",
        "total": 9,
        "size": 4,
        "sizes": (1, 4),
        "first": 0,
        "following": 4,
        "previous": 8,
    }
    wall |= {"rotate": 15, "rotations": (0, 15), "purposes": tuple(PURPOSES)}
    late = alert(name, due_at=NOW - timedelta(hours=3), reminders=2, supervision_level=1)
    board = {
        "groups": [BoardGroup("overdue", 5, [late]), BoardGroup("later", 0, [])],
        "nodes": [
            NodeView(
                id=1, parent_id=None, kind=NodeKind.GRID, code="g", name=name, name_en="", path="/1/", depth=0
            )
        ],
        "tiers": (1,),
        "node_id": 1,
        "highest_level": 4,
    }
    form = {"problem": name, "username": name, "next": "/"}
    return {
        **report_pages(name, regulator),
        "feed": ("feed.html", regulator, {**feed, "alerts": [alert(name)], "older_href": "/alerts?cursor=x"}),
        "feed of a restaurant": ("feed.html", owner, {**feed, "alerts": [alert(name)], "places": []}),
        "feed, nothing found": ("feed.html", regulator, nothing),
        "feed, all quiet": ("feed.html", regulator, {**feed, "alerts": []}),
        "alert": ("alert.html", regulator, {"alert": alert_page(name), **handled(name)}),
        "alert, clip on its way": (
            "alert.html",
            regulator,
            {"alert": alert_page(name, clip_complete=False, model=None), **handled(name, steps=())},
        ),
        "alert, no evidence yet": (
            "alert.html",
            regulator,
            {"alert": alert_page(name, manifests=[], detections=[], ended_at=NOW), **handled(name)},
        ),
        "alert, somebody was faster": (
            "alert.html",
            regulator,
            {
                "alert": alert_page(name),
                **handled(name, appeals=[], deadlines=[]),
                "refused": Refused(name, overtaken=True, given={"act": "return", "note": name}),
            },
        ),
        "alert, refused": (
            "alert.html",
            owner,
            {
                "alert": alert_page(name),
                **handled(name, steps=("submit", "appeal"), rectifications=[], territory_owner=None),
                "refused": Refused(name, given={"act": "submit", "text": name}),
            },
        ),
        "board": ("board.html", regulator, board),
        "board, nothing due": (
            "board.html",
            regulator,
            {**board, "groups": [BoardGroup("overdue", 0, [])], "nodes": []},
        ),
        "premises": (
            "premises.html",
            regulator,
            {
                "places": [premises(name)],
                "cameras": {1: cameras},
                "by_state": by_state,
                "count": 41,
                "after": 7,
                "next_href": "/premises?after=8",
            },
        ),
        "no premises": (
            "premises.html",
            regulator,
            {
                "places": [],
                "cameras": {},
                "by_state": Counter(),
                "count": 0,
                "after": 0,
                "next_href": None,
            },
        ),
        "cameras": ("cameras.html", regulator, {**many, "cameras": cameras, "by_state": by_state}),
        "no cameras": (
            "cameras.html",
            owner,
            {**many, "cameras": [], "by_state": Counter(), "total": 0, "found": 0, "words": ""},
        ),
        "edges": (
            "edges.html",
            regulator,
            {"edges": [edge(name), edge(name, connected=False)], "before": 0, "following": 200},
        ),
        "no edges": ("edges.html", regulator, {"edges": [], "before": None, "following": None}),
        "home": ("home.html", owner, {**home, "alerts": [alert(name)], "waiting": [late]}),
        "home without cameras": ("home.html", owner, {**home, "alerts": [], "cameras": [], "waiting": []}),
        "login": ("login.html", None, form),
        "password": (
            "password.html",
            person(name=name, one_time=True),
            {"problem": name, "one_time": True, "min_length": 10},
        ),
        "error": ("error.html", None, {"code": 404, "title": name, "text": name}),
        "one camera": (
            "live.html",
            regulator,
            {"camera": cameras[0], "others": cameras, "ask_purpose": True, "purposes": tuple(PURPOSES)},
        ),
        "self-test": (
            "live_test.html",
            regulator,
            {"camera": cameras[0], "servers": [{"urls": [name]}], "relays": True}
            | {"ask_purpose": False, "purposes": ()},
        ),
        "wall": ("live_wall.html", regulator, {**wall, "cameras": cameras, "ask_purpose": True}),
        "wall without cameras": ("live_wall.html", owner, {**wall, "cameras": [], "ask_purpose": False}),
        "public page": ("public.html", None, public_page(name)),
        "public page in a frame": ("public.html", None, {**public_page(name, bare=True), "embedded": True}),
        "plates": (
            "plate.html",
            regulator,
            {
                "place": premises(name),
                "public": PublicPageView(
                    premises_id=1, url="https://example.cn/p/x", made_at=NOW, public_cameras=1
                ),
                "official": (name, "D"),
                "shown": public_page(name)["premises"],
                "embedding": "<iframe>",
            },
        ),
        "no plates": (
            "plate.html",
            owner,
            {"place": premises(name), "public": None, "official": None, "shown": None, "embedding": ""},
        ),
        "source": (
            "source.html",
            None,
            {"version": "0.1", "size": 1000, "project_url": "https://example.org"},
        ),
    }


def every_part(name: str = "甲饭店") -> Mapping[str, tuple[str, Person | None, dict[str, Any]]]:
    """Template, reader and content of the parts that scripts fetch."""
    counts = AlertCounts(open_by_tier={2: 1}, found_today=3)
    cameras = [camera(name, CameraState.OFFLINE)]
    now = {"counts": counts, "cameras": CameraOverview(Counter({"offline": 1}), cameras)}
    return {
        "look": ("look.html", person(), {"alert": alert_page(name), **handled(name)}),
        "look, too late": ("look.html", person(), {"alert": alert_page(name), **handled(name, steps=())}),
        "tray": ("photo_tray.html", person(AT_HOME), {"alert": alert_page(name), **handled(name)}),
        "card": ("card.html", person(), {"alert": alert(name)}),
        "now": ("now.html", person(), now),
    }
