"""Templates to text: one Jinja environment per language, with the words and times of that language."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import jinja2
from babel.numbers import format_decimal, format_percent

from kitchen_watch.backend.alerts.schemas import AlertDetail, EvidenceView
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.evidence.tables import LinkState
from kitchen_watch.backend.local_time import DEFAULT_ZONE
from kitchen_watch.backend.pages import administration_words, handling_words, times, wording
from kitchen_watch.backend.pages.languages import Language, languages
from kitchen_watch.backend.pages.navigation import items_for
from kitchen_watch.backend.pages.rule_words import rule_sentences
from kitchen_watch.backend.pages.spoken import NO_CLIP, said
from kitchen_watch.events import EventKind

HERE = Path(__file__).resolve().parent
TEMPLATES = HERE / "templates"
STATIC = HERE / "static"
HERE_BY_DEFAULT = ZoneInfo(DEFAULT_ZONE)
THEMES = ("auto", "light", "dark")


@dataclass(frozen=True, slots=True)
class Frame:
    """What every page needs beside its own content."""

    language: Language
    theme: str
    person: Person | None
    now: datetime
    address: str
    """Path and query of the page itself, to come back to after a change of language or theme."""
    zone: ZoneInfo = HERE_BY_DEFAULT
    """Of times that belong to no premises."""


class Named(Protocol):
    """Whatever has a Chinese and perhaps an English name."""

    name: str
    name_en: str


@cache
def static_version() -> str:
    """A name for the present state of all static files: changed files have new addresses."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(STATIC).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def static_url(name: str) -> str:
    """Address of one static file."""
    return f"/static/{static_version()}/{name}"


def render(template: str, frame: Frame, content: Mapping[str, Any]) -> str:
    """The finished page (or part of one)."""
    return (
        _environment(frame.language.code, frame.zone)
        .get_template(template)
        .render(frame=frame, navigation=items_for(frame.person), **content)
    )


def evidence_file(alert: AlertDetail, kind: str) -> EvidenceView | None:
    """The file of ``kind`` that any manifest of the alert names; a complete one before others."""
    found = [file for manifest in alert.manifests for file in manifest.files if file.kind == kind]
    return max(found, key=lambda file: file.complete, default=None)


def why_no_clip(alert: AlertDetail) -> str | None:
    """Why the latest clip will never come, as the edge said it; ``None`` while it still may."""
    for event in sorted(alert.events, key=lambda one: one.sequence, reverse=True):
        _, mark, reason = f" {event.detail or ''}".rpartition(f" {NO_CLIP}")
        if mark:
            return reason
        if event.kind is EventKind.OPENED:
            return None  # it was asked for anew
    return None


def evidence_state(alert: AlertDetail) -> str:
    """``none``, ``broken``, ``waiting`` (for a file or for the package before), ``deleted``, ``verified``."""
    links = {manifest.link for manifest in alert.manifests}
    if LinkState.BROKEN in links:
        return "broken"
    files = [file for manifest in alert.manifests for file in manifest.files]
    if LinkState.WAITING in links or not all(file.complete or file.deleted_at for file in files):
        return "waiting"
    if any(file.deleted_at for file in files):
        return "deleted"
    return "verified" if links else "none"


@cache
def _environment(code: str, here: ZoneInfo) -> jinja2.Environment:
    language = languages()[code]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # added by the i18n extension
        language.gettext,
        language.ngettext,
        newstyle=True,
        pgettext=language.pgettext,
    )
    environment.filters.update(_filters(language, here))
    environment.globals.update(
        static=static_url,
        wording=wording,
        admin_words=administration_words,
        handling=handling_words,
        clock_words=json.dumps(times.clock_words(language), ensure_ascii=False),
        languages=languages(),
        themes=THEMES,
        rule_sentences=lambda parameters, zone: rule_sentences(parameters, language, zone_id=zone),
        moments=lambda at, seconds: (at + timedelta(seconds=seconds)).isoformat(),
        clocks_differ=times.clocks_differ,
        evidence_file=evidence_file,
        evidence_state=evidence_state,
        why_no_clip=why_no_clip,
    )
    return environment


def _filters(language: Language, here: ZoneInfo) -> dict[str, Any]:
    def code_name(code: str) -> str:
        return language.gettext(wording.CODES[code]) if code in wording.CODES else code

    def area_name(area: str) -> str:
        return language.gettext(wording.AREA_TYPES[area]) if area in wording.AREA_TYPES else area

    def named(thing: Named) -> str:
        return thing.name_en if language.code == "en" and thing.name_en else thing.name

    def local(at: datetime, now: datetime, zone: str = here.key, seconds: bool = True) -> str:
        return times.local(at, ZoneInfo(zone), language, now=now, seconds=seconds)

    return {
        "code_name": code_name,
        "named": named,
        "said": lambda sentence: said(sentence, language),
        "area_name": area_name,
        "local": local,
        "day": lambda at, now, zone=here.key: times.day(at, ZoneInfo(zone), language, now=now),
        "last_day": lambda end, now, zone=here.key: times.day(
            end - timedelta(seconds=1), ZoneInfo(zone), language, now=now
        ),
        "full": lambda at, zone=here.key: times.full(at, ZoneInfo(zone), language),
        "remaining": lambda due_at, now: times.remaining(due_at, language, now=now),
        "ago": lambda at, now: times.ago(at, language, now=now),
        "duration": lambda length: times.duration(length, language),
        "offset_words": lambda milliseconds: times.offset_words(milliseconds, language),
        "seconds": lambda seconds: times.duration(timedelta(seconds=seconds), language),
        "percent": lambda share: format_percent(share, locale=language.locale),
        "number": lambda value: format_decimal(value, locale=language.locale),
        "bytes": _size,
        "local_input": lambda at: at.astimezone(here).strftime("%Y-%m-%dT%H:%M"),
    }


def _size(size: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
