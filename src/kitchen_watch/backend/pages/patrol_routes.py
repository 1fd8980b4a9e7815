"""The pages of patrols: the queue, a check with its cameras, the list of checks, where the sweep stands."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from markupsafe import Markup
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from kitchen_watch.backend.auth.callers import AnyPerson, Regulator
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.bounds import RowId
from kitchen_watch.backend.forms.answers import judge
from kitchen_watch.backend.forms.content import FormKind
from kitchen_watch.backend.organisations.service import camera_list, node_tree
from kitchen_watch.backend.pages import patrol_words
from kitchen_watch.backend.pages.answers import FrameOf, page
from kitchen_watch.backend.pages.charts import Series, bars
from kitchen_watch.backend.pages.languages import Language
from kitchen_watch.backend.pages.patrol_form import read_answers
from kitchen_watch.backend.pages.rendering import Frame
from kitchen_watch.backend.parts import Parts, PartsOf
from kitchen_watch.backend.patrols.checks import visible_check
from kitchen_watch.backend.patrols.planning import absence_list, officers_below, sweep_view
from kitchen_watch.backend.patrols.queue import purpose_of, queue_view
from kitchen_watch.backend.patrols.schemas import CheckFilters, CheckView, SweepView
from kitchen_watch.backend.patrols.tables import CheckState, PatrolCheckRow
from kitchen_watch.backend.patrols.views import check_page, check_view

router = APIRouter(include_in_schema=False)

SHOWN = 100
MOST_BARS = 40
OFFICERS = (FormKind.PATROL, FormKind.ON_SITE)


@router.get("/patrols")
def show_queue(request: Request, person: AnyPerson, frame: FrameOf, parts: PartsOf) -> Response:
    """An officer's queue, and what they have begun; a restaurant sees the checks about itself."""
    if person.is_premises_side:
        return _checks_page(request, frame, parts, person)
    return queue_page(parts, frame, person)


def queue_page(
    parts: Parts, frame: Frame, person: Person, *, refused: str = "", status: int = 200
) -> Response:
    """The queue, with the reason why something could not be done where there is one."""
    settings = parts.settings.patrols
    with parts.database.read() as session:
        queue = queue_view(session, person, settings, now=frame.now, limit=SHOWN)
        sweep = sweep_view(session, person, settings, now=frame.now)
        mine = [
            check_view(session, person, row, now=frame.now)
            for row in session.scalars(
                select(PatrolCheckRow)
                .where(
                    PatrolCheckRow.person_id == person.id,
                    PatrolCheckRow.state == CheckState.OPEN,
                    person.scope.owned(PatrolCheckRow.premises_id),
                )
                .order_by(PatrolCheckRow.id)
            )
        ]
    return _page(
        "patrols/queue.html", frame, status=status, queue=queue, sweep=sweep, mine=mine, refused=refused
    )


@router.get("/patrols/checks")
def show_checks(request: Request, person: AnyPerson, frame: FrameOf, parts: PartsOf) -> Response:
    """Checks, the newest first, by what stands in the address."""
    return _checks_page(request, frame, parts, person)


@router.get("/patrols/sweep")
def show_sweep(person: Regulator, frame: FrameOf, parts: PartsOf) -> Response:
    """How much of the sweep is done, by part of the tree, what will come late, and who is away."""
    return sweep_page(parts, frame, person)


def sweep_page(
    parts: Parts, frame: Frame, person: Person, *, refused: str = "", status: int = 200
) -> Response:
    """The sweep, with the reason why something could not be done where there is one."""
    with parts.database.read() as session:
        sweep = sweep_view(session, person, parts.settings.patrols, now=frame.now)
        away = absence_list(session, person, now=frame.now).items
        officers = officers_below(session, person)
    return _page(
        "patrols/sweep.html", frame, status=status, sweep=sweep, chart=sweep_chart(frame.language, sweep),
        away=away, officers=officers, refused=refused,
        today=frame.now.astimezone(frame.zone).date().isoformat(),
    )  # fmt: skip


def sweep_chart(language: Language, sweep: SweepView) -> Markup | None:
    """Premises in time and the others, by part of the tree; the table beside it says the same in words."""
    units = sweep.units[:MOST_BARS]
    if not units:
        return None
    names = [
        one.node_name_en if language.code == "en" and one.node_name_en else one.node_name for one in units
    ]
    late = [one.late_now for one in units]
    waiting = [one.premises - one.looked_at - one.late_now for one in units]
    gettext = language.gettext
    return bars(
        names,
        [
            Series(gettext("looked at in time"), [one.looked_at for one in units]),
            Series(gettext("not looked at yet, still in time"), waiting),
            Series(gettext("past their limit"), late),
        ],
        title=gettext("Premises of the sweep by part of the tree"),
        stacked=True,
    )


@router.get("/patrols/{check_id}")
def show_check(check_id: RowId, person: AnyPerson, frame: FrameOf, parts: PartsOf) -> Response:
    """The form to fill beside the cameras, for who has taken it; the finished check for everybody else."""
    return check_answer(parts, frame, person, check_id)


def check_answer(
    parts: Parts,
    frame: Frame,
    person: Person,
    check_id: int,
    *,
    refused: str = "",
    fields: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    """A check, with the reason why something could not be done where there is one.

    ``fields`` are those of a form that was refused: what was written is not lost.
    """
    with parts.database.read() as session:
        check = check_view(session, person, visible_check(session, person, check_id), now=frame.now)
        if not check.mine:
            return _page("patrols/check.html", frame, status=status, check=check, refused=refused)
        content = _fill(session, parts, frame, person, check)
    if fields:  # what was written is judged, also where not even a draft of it could be kept
        answers = read_answers(check.form.content, fields)
        judged = judge(check.form.content, answers, with_photo=content["pictures"].keys())
        content["problems"] = {one.item: one.code for one in judged.problems}
    return _page(
        "patrols/fill.html",
        frame,
        status=status,
        check=check,
        refused=refused,
        told=bool(refused),
        fields=fields or {},
        **content,
    )


def _fill(session: Session, parts: Parts, frame: Frame, person: Person, check: CheckView) -> dict[str, Any]:
    zone = ZoneInfo(check.premises.time_zone)
    today = frame.now.astimezone(zone).date()
    return {
        "cameras": [
            one
            for one in camera_list(session, person, premises_id=check.premises.id, now=frame.now)
            if one.enabled
        ],
        "purpose": purpose_of(check.check_id),
        "problems": {one.item: one.code for one in check.problems},
        "pictures": pictures_by_item(check),
        "today": today.isoformat(),
        "due_on": (today + timedelta(days=parts.settings.patrols.finding_days)).isoformat(),
        "early": check.planned_at is not None and check.planned_at > frame.now,
    }


def pictures_by_item(check: CheckView) -> dict[str, list[Any]]:
    """The pictures of a check by the item they belong to."""
    found: dict[str, list[Any]] = {}
    for one in check.pictures:
        found.setdefault(one.item, []).append(one)
    return found


def _checks_page(request: Request, frame: Frame, parts: Parts, person: Person) -> Response:
    given = {key: value for key, value in request.query_params.items() if value}
    days = {key: given.pop(key, "") for key in ("from", "to")}
    filters = _filters(given, days, frame.zone)
    with parts.database.read() as session:
        found = check_page(session, person, filters, now=frame.now)
        nodes = [] if person.is_premises_side else node_tree(session, person)
    address = {key: value for key, value in (given | days).items() if key != "after" and value}
    older = urlencode({**address, "after": found.next_cursor}) if found.next_cursor else ""
    return _page(
        "patrols/checks.html", frame, found=found, nodes=nodes, filters=filters, days=days,
        filtered=bool(address), older=older,
    )  # fmt: skip


def _filters(given: dict[str, str], days: dict[str, str], zone: ZoneInfo) -> CheckFilters:
    # Addresses are typed and shared: what cannot be understood is left out.
    wanted: dict[str, Any] = {}
    for key in ("state", "kind", "premises_id", "node_id", "with_findings", "unsettled", "after"):
        if key in given:
            try:
                CheckFilters.model_validate({key: given[key]})
            except ValidationError:
                continue
            wanted[key] = given[key]
    for key, name, add in (("from", "finished_from", 0), ("to", "finished_to", 1)):
        at = local_midnight(days[key], add, zone)
        if at is not None:
            wanted[name] = at
    return CheckFilters.model_validate({**wanted, "limit": SHOWN})


def local_midnight(day: str, add: int, zone: ZoneInfo) -> datetime | None:
    """The beginning of a day that somebody typed, so many days later, in UTC; ``None`` if it is none."""
    try:
        local = datetime.combine(datetime.fromisoformat(day).date() + timedelta(days=add), time())
        return local.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _page(template: str, frame: Frame, *, status: int = 200, **content: Any) -> Response:
    return page(template, frame, status=status, words=patrol_words, officers_kinds=OFFICERS, **content)
