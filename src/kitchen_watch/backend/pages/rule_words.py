"""A rule's parameters as sentences: what had to be seen, for how long, before somebody was told.

Parameters come with the event as the edge used them. Known ones become sentences; any other is
shown by its name, so that a newer edge never hides a condition.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, TypeGuard

from babel.numbers import format_percent

from kitchen_watch.backend.pages import times
from kitchen_watch.backend.pages.languages import N_, Language

_TOLD_ELSEWHERE = frozenset({"name", "tier", "enabled", "zones", "zone", "hours"})
"""On other parts of the page, or (zone outline, opening hours) too long for a sentence."""

_SECONDS: Mapping[str, str] = {
    "closed_held_s": N_("Outside opening hours it must last %(value)s."),
    "absent_s": N_("It ends when nothing of it has been seen for %(value)s."),
    "cooldown_s": N_("If it comes back within %(value)s after that, it is the same alert again."),
}
_NUMBERS: Mapping[str, str] = {
    "min_person_px": N_("People less than %(value)s pixels tall in the analysed picture are left out."),
    "min_travel": N_("It must have moved by at least %(value)s times its own size."),
    "min_confidence": N_("Sightings with a confidence below %(value)s are left out."),
    "max_person_share": N_("Longer than %(value)s times the tallest person lately seen, it is no pest."),
    "max_persons": N_("At most %(value)s people may be in the zone."),
}
_LABELS: Mapping[str, str] = {
    "unless_labels": N_("No alert while one of these is in the picture: %(value)s."),
    "veto_labels": N_("No alert if the model takes it for one of these animals: %(value)s."),
}
_SWITCHES: Mapping[str, str] = {
    "moving": N_("It must move by itself."),
    "whole_head": N_("A head cut off by the upper edge of the picture does not count."),
    "second_look": N_("Looked at again in a larger crop of the picture, it must be the same."),
    "pauses": N_("While it lasts, the other rules of this camera pause."),
}


def rule_sentences(parameters: Mapping[str, Any], language: Language, *, zone_id: str | None) -> list[str]:
    """One sentence per condition, in the order in which people ask: what, how long, what else."""
    rest = {
        name: value
        for name, value in parameters.items()
        if name not in _TOLD_ELSEWHERE and value is not None and value not in ("", [], {})
    }
    sentences = [*_what(rest, language), *_how_long(rest, language)]
    if zone_id:
        sentences.append(language.gettext("It applies to the zone “%(zone)s”.") % {"zone": zone_id})
    sentences += _others(rest, language)
    for name, value in sorted(rest.items()):
        if value is False:
            continue
        shown = {"name": name, "value": _words(value)}
        sentences.append(language.gettext("Parameter %(name)s: %(value)s.") % shown)
    return sentences


def _what(rest: dict[str, Any], language: Language) -> Iterator[str]:
    labels = rest.pop("labels", None)
    if labels:
        yield language.gettext("The model must see: %(value)s.") % {"value": _words(labels)}


def _how_long(rest: dict[str, Any], language: Language) -> Iterator[str]:
    held, fraction = rest.pop("held_s", None), rest.pop("fraction", None)
    hits, within = rest.pop("hits", None), rest.pop("within_s", None)
    if _is_number(held):
        length = times.duration(timedelta(seconds=held), language)
        if _is_number(fraction):
            share = format_percent(fraction, locale=language.locale)
            yield language.gettext(
                "For %(length)s, at least %(share)s of the analysed frames must show it."
            ) % {"length": length, "share": share}
        else:
            yield language.gettext("It must last %(length)s.") % {"length": length}
    if _is_number(hits) and _is_number(within):
        length = times.duration(timedelta(seconds=within), language)
        yield language.gettext("It must be seen %(hits)s times within %(length)s on one track.") % {
            "hits": f"{hits:g}",
            "length": length,
        }


def _others(rest: dict[str, Any], language: Language) -> Iterator[str]:
    for name in [name for name in (*_SECONDS, *_NUMBERS) if _is_number(rest.get(name))]:
        value = rest.pop(name)
        if name in _SECONDS:
            length = times.duration(timedelta(seconds=value), language)
            yield language.gettext(_SECONDS[name]) % {"value": length}
        elif value:
            yield language.gettext(_NUMBERS[name]) % {"value": f"{value:g}"}
    for name, sentence in _LABELS.items():
        if name in rest:
            yield language.gettext(sentence) % {"value": _words(rest.pop(name))}
    for name, sentence in _SWITCHES.items():
        if rest.get(name) is True:
            del rest[name]
            yield language.gettext(sentence)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
