"""At the end of the day: is what the backend knows what really happened, each thing once and in time?

What was sent and done is the simulation's own record; due times are worked out here once more, apart
from the backend's code. Every sentence in ``wrong`` is a mistake of the backend (or of this benchmark).
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.city_day.edges import Told
from benchmarks.city_day.people import Acted
from benchmarks.city_day.places import City
from benchmarks.city_day.programme import ZONE

VERIFY = {1: timedelta(minutes=10), 2: timedelta(minutes=30), 3: timedelta(hours=24)}
ACCEPT = {1: timedelta(minutes=15), 2: timedelta(hours=1)}
SHARES = (0.5, 0.8)
LEVELS, LEVEL_EVERY = 4, timedelta(hours=24)
LAST_SECOND = time(23, 59, 59)
TICK = timedelta(seconds=1)
CUT_OFF = time(20, 30)


@dataclass
class Truth:
    """What was compared and what was found wrong."""

    wrong: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    lateness_s: dict[str, list[float]] = field(default_factory=lambda: {"reminder": [], "supervision": []})
    """Simulated seconds from the moment that something was due until it was issued."""

    def expect(self, holds: bool, sentence: str) -> None:
        """Note the sentence unless it holds."""
        if not holds:
            self.wrong.append(sentence)


@dataclass(frozen=True, slots=True)
class Span:
    """The day: its beginning, and the moment from which on nothing is asked any more."""

    since: datetime
    until: datetime
    grace: timedelta
    """What is due so shortly before an end may or may not have been issued."""
    excuse: timedelta
    """Two moments so close together may fall into one look, for the day is compressed."""
    last_feed: int
    """The newest entry that every stream was given time to tell."""


def compare(url: str, evidence: Path, city: City, told: Told, acted: Acted, span: Span) -> Truth:
    """Lay everything side by side."""
    truth = Truth()
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        cursor = connection.cursor()
        _events(cursor, truth, told)
        _evidence(cursor, truth, told, evidence)
        _deadlines(cursor, truth, span)
        _seen(cursor, truth, acted, told, span)
        _reports(cursor, truth, city, told, acted, span)
        _nights(cursor, truth, span)
    return truth


def _events(cursor: psycopg.Cursor[Any], truth: Truth, told: Told) -> None:
    rows = cursor.execute("SELECT event_id::text, violation_id::text, sequence FROM events").fetchall()
    held = {event_id: (violation, sequence) for event_id, violation, sequence in rows}
    sent = {event_id: (violation, sequence) for event_id, (violation, sequence, _, _) in told.events.items()}
    truth.expect(len(rows) == len(held), f"{len(rows) - len(held)} events are there twice")
    different = sum(held.get(key) != value for key, value in sent.items()) + len(held.keys() - sent.keys())
    truth.expect(not different, f"{different} events differ: {len(sent)} sent, {len(held)} there")
    alerts = cursor.execute("SELECT violation_id::text, found_at, last_sequence FROM alerts").fetchall()
    truth.expect(
        sorted(one[0] for one in alerts) == sorted(told.openings), "alerts are not the violations, each once"
    )
    newest: dict[str, int] = defaultdict(int)
    for violation, sequence in sent.values():
        newest[violation] = max(newest[violation], sequence)
    outside = behind = 0
    for violation, found_at, last_sequence in alerts:
        first, last = told.opened.get(violation, (found_at, found_at))
        outside += not first <= found_at <= last
        behind += last_sequence != newest[violation]
    truth.expect(not outside, f"{outside} alerts were not found while their opening was delivered")
    truth.expect(not behind, f"{behind} alerts do not stand at their newest event")
    truth.expect(not told.refused, f"events were not taken: {told.refused[:3]}")
    truth.figures |= {"events": len(held), "alerts": len(alerts)}


def _evidence(cursor: psycopg.Cursor[Any], truth: Truth, told: Told, evidence: Path) -> None:
    rows = cursor.execute(
        "SELECT sha256, size_bytes, completed_at IS NOT NULL FROM evidence_files"
    ).fetchall()
    whole = {sha256: size for sha256, size, complete in rows if complete}
    truth.expect(len(whole) == len(rows), f"{len(rows) - len(whole)} evidence files are not whole")
    truth.expect(whole == told.files, f"evidence uploaded {len(told.files)}, there {len(whole)}")
    broken = cursor.execute("SELECT count(*) FROM manifests WHERE link <> 'linked'").fetchone()
    truth.expect(broken == (0,), f"links of the chains of evidence that do not hold: {broken}")
    sizes = sorted(path.stat().st_size for path in evidence.rglob("*") if path.is_file())
    truth.expect(sizes == sorted(whole.values()), f"{len(sizes)} files on disk, {len(whole)} known")
    truth.figures |= {"evidence_files": len(whole), "evidence_bytes": sum(whole.values())}


def _deadlines(cursor: psycopg.Cursor[Any], truth: Truth, span: Span) -> None:
    rows = cursor.execute(
        "SELECT d.id, a.tier, d.step, d.started_at, d.due_at, d.settled_at FROM deadlines d "
        "JOIN alerts a ON a.id = d.alert_id"
    ).fetchall()
    issued: dict[tuple[int, str], list[tuple[datetime, int]]] = defaultdict(list)
    for deadline, kind, level, at in cursor.execute(
        "SELECT deadline_id, kind, level, at FROM alert_notices WHERE person_id IS NULL ORDER BY at, level"
    ).fetchall():
        issued[deadline, kind].append((at, level))
    counted: Counter[str] = Counter()
    for deadline, tier, step, started_at, due_at, settled_at in rows:
        expected = _due(tier, step, started_at)
        truth.expect(
            expected is None or abs(expected - due_at) < TICK, f"deadline {deadline} is due at {due_at}"
        )
        ends = min(settled_at or span.until, span.until)
        for kind, moments in _moments(tier, started_at, due_at).items():
            notices = issued[deadline, kind]
            counted[kind] += len(notices)
            _match(truth, counted, (deadline, kind), [*moments, due_at], notices, ends, span)
        overdue = due_at < ends - span.grace
        counted["overdue"] += overdue
        if overdue and not issued[deadline, "supervision"]:
            counted["overdue unseen"] += 1
    truth.expect(
        not counted["overdue unseen"], f"{counted['overdue unseen']} overdue steps that nobody heard of"
    )
    late = cursor.execute(
        "SELECT count(*) FROM deadlines d JOIN alerts a ON a.id = d.alert_id "
        "WHERE d.settled_at IS NULL AND (a.due_at IS NULL OR a.due_at > d.due_at)"
    ).fetchone()
    truth.expect(late == (0,), f"alerts whose board shows a later time than their deadline: {late}")
    truth.figures |= {
        "deadlines": len(rows),
        "reminders": counted["reminder"],
        "supervisions": counted["supervision"],
        "reminders_that_fell_into_the_next_look": counted["merged"],
        "overdue_steps": counted["overdue"],
    }


def _match(
    truth: Truth,
    counted: Counter[str],
    name: tuple[int, str],
    moments: list[datetime],
    notices: list[tuple[datetime, int]],
    ends: datetime,
    span: Span,
) -> None:
    """Every notice belongs to the newest moment before it; no moment has two, none is left out.

    ``moments`` are followed by the deadline. A reminder that falls into one look with what comes next is
    not sent for itself, as the backend promises; here that is only excused where they are close.
    """
    *moments, due_at = moments
    said: set[int] = set()
    for place, (at, level) in enumerate(notices):
        number = level - 1 if name[1] == "supervision" else bisect_right(moments, at) - 1
        if not 0 <= number < len(moments) or number in said or moments[number] > at:
            truth.wrong.append(f"{name[1]} {place + 1} of deadline {name[0]} is one too many")
            continue
        said.add(number)
        truth.lateness_s[name[1]].append((at - moments[number]).total_seconds())
    for number, moment in enumerate(moments):
        if moment >= ends - span.grace or number in said:
            continue
        following = [*moments, due_at][number + 1] if name[1] == "reminder" else moment
        if timedelta(0) < following - moment <= span.excuse:
            counted["merged"] += 1
        else:
            truth.wrong.append(f"{name[1]} {number + 1} of deadline {name[0]} was never issued")


def _due(tier: int, step: str, started_at: datetime) -> datetime | None:
    clock = {"verify": VERIFY, "accept": ACCEPT}.get(step, {}).get(tier)
    if clock is None:
        return None
    due = started_at + clock
    local = started_at.astimezone(ZONE)
    midnight = datetime.combine(local.date(), LAST_SECOND, ZONE)
    return min(due, midnight) if tier < 3 and midnight > started_at else due


def _moments(tier: int, started_at: datetime, due_at: datetime) -> dict[str, list[datetime]]:
    reminders = [started_at + (due_at - started_at) * share for share in SHARES] if tier < 3 else []
    return {
        "reminder": reminders,
        "supervision": [due_at + LEVEL_EVERY * level for level in range(LEVELS)],
    }


def _seen(cursor: psycopg.Cursor[Any], truth: Truth, acted: Acted, told: Told, span: Span) -> None:
    rows = cursor.execute(
        "SELECT id FROM feed_entries WHERE id <= %s ORDER BY id", [span.last_feed]
    ).fetchall()
    ids = [row[0] for row in rows]
    for number, all_heard in enumerate(acted.heard):
        heard = [one for one in all_heard if one <= span.last_feed]
        truth.expect(
            heard == ids,
            f"stream {number} heard {len(heard)} entries, not the {len(ids)} there are, in order",
        )
    truth.expect(
        len(acted.alerts) == len(told.openings), f"{len(told.openings) - len(acted.alerts)} alerts unseen"
    )
    truth.expect(not acted.refused, f"people were refused: {acted.refused[:3]}")
    truth.figures |= {"feed_entries": len(ids), "steps": len(acted.steps)}


def _reports(
    cursor: psycopg.Cursor[Any], truth: Truth, city: City, told: Told, acted: Acted, span: Span
) -> None:
    """The newest daily report of every node against the simulation's own count.

    What was being answered at the very cut-off may stand on either side: then a span is compared.
    """
    rows = cursor.execute(
        "SELECT node_id, since_at, until_at, drawn_at, content FROM reports WHERE kind = 'daily' "
        "AND until_at = (SELECT max(until_at) FROM reports WHERE kind = 'daily')"
    ).fetchall()
    nodes = {node for line in city.line_of.values() for node in line}
    truth.expect({row[0] for row in rows} == nodes, f"daily reports of {len(rows)} nodes, not {len(nodes)}")
    own, exact = _Count(city, told, acted), 0
    for node, since_at, until_at, drawn_at, content in rows:
        counted = own.of(node, since_at, until_at, drawn_at)
        section = next(one for one in json.loads(content)["sections"] if one["key"] == "alerts")
        reported = {one["key"]: one["now"]["value"] for one in section["figures"]}
        for key, (least, most) in counted.items():
            exact += least == most
            truth.expect(
                least <= reported[key] <= most,
                f"the daily report of node {node} says {key} {reported[key]}, it was {least}..{most}",
            )
    whole = own.of(1, *rows[0][1:4]) if rows else {}
    truth.figures |= {
        "daily_reports": len(rows),
        "report_figures_compared": sum(len(whole) for _ in rows),
        "report_figures_exact": exact,
        "report_of_the_city": {key: list(value) for key, value in whole.items()},
    }


class _Count:
    """What the simulation itself knows of every alert."""

    def __init__(self, city: City, told: Told, acted: Acted) -> None:
        self._lines = {
            violation: city.line_of[city.premises_of[happening.camera_id]]
            for violation, happening in told.openings.items()
        }
        self._told = told
        self._nodes: dict[int, tuple[int, ...]] = {
            alert: city.line_of[city.premises_of[camera]] for alert, camera in acted.alerts.items()
        }
        self._done = [one for one in acted.steps if one.state in {"false_alarm", "closed"}]

    def of(self, node: int, since: datetime, until: datetime, drawn: datetime) -> dict[str, tuple[int, int]]:
        """Least and most of each figure for the alerts found in a span, as it stood when it was drawn."""
        found = {key: [0, 0] for key in ("found", "tier_1", "tier_2", "tier_3", "false_alarms", "closed")}
        for violation, happening in self._told.openings.items():
            if node not in self._lines[violation]:
                continue
            sent, answered = self._told.opened[violation]
            surely, perhaps = since <= sent and answered < until, answered >= since and sent < until
            for key in ("found", f"tier_{happening.kind.tier}"):
                found[key][0] += surely
                found[key][1] += perhaps
        for done in self._done:
            if node in self._nodes[done.alert_id]:
                key = "closed" if done.state == "closed" else "false_alarms"
                found[key][0] += done.answered < until
                found[key][1] += done.sent < drawn
        return {key: (least, most) for key, (least, most) in found.items()}


def _nights(cursor: psycopg.Cursor[Any], truth: Truth, span: Span) -> None:
    """The nightly run of retention came once per night that the day holds."""
    day, nights = span.since.astimezone(ZONE).date(), 0
    while (at := datetime.combine(day, time(3, 30), ZONE)) < span.until - span.grace:
        nights += at >= span.since
        day += timedelta(days=1)
    runs = cursor.execute(
        "SELECT key, finished_at IS NOT NULL FROM retention_runs WHERE kind = 'night' AND started_at >= %s",
        [span.since],
    ).fetchall()
    truth.figures["nightly_runs"] = len(runs)
    truth.expect(all(finished for _, finished in runs), f"a nightly run did not end: {runs}")
    truth.expect(len(runs) >= nights and len(runs) == len({key for key, _ in runs}), f"nightly runs: {runs}")
