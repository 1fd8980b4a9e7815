"""Which precision a CPU infers with: of those that the model card proves, the one that costs least here.

What was measured is kept, so that a restart costs nothing and evidence does not change from day to day. A
precision that costs hardly less than a more exact one is not taken.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from kitchen_watch.edge.detect.card import ModelCard
from kitchen_watch.edge.detect.settings import Precision
from kitchen_watch.errors import ConfigError

CHOICES = "precision.json"
"""Where an edge keeps its choices, in its data directory."""
EXACTEST_FIRST: Final[tuple[Precision, ...]] = ("f32", "bf16", "int8")
WORTHWHILE = 0.95
"""A less exact precision must cost at most this share of a more exact one."""
MOST_KEPT = 16

Measure = Callable[[Sequence[Precision]], dict[Precision, float]]
"""CPU milliseconds of one inference in each precision."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Machine:
    """A processor: what it is called, with the runtime's version, and what it calculates natively."""

    name: str
    calculates: frozenset[str]


def proved(model_path: Path, card: ModelCard) -> tuple[Precision, ...]:
    """Precisions that the card proves and whose files are there, the most exact first; f32 always is."""
    found: list[Precision] = ["f32"]
    for precision in EXACTEST_FIRST[1:]:
        proof = card.precisions.get(precision)
        if proof is None or not proof.proved:
            continue
        missing = [name for name in proof.files if not model_path.with_name(name).is_file()]
        if missing:
            log.warning("precision left out: its files are missing", precision=precision, files=missing)
        else:
            found.append(precision)
    return tuple(found)


def check_named(card: ModelCard, precision: Precision) -> None:
    """Refuse a precision that somebody named and the card does not prove.

    Raises:
        ConfigError: says how far the model falls, or that nobody measured it.
    """
    if precision == "f32":
        return
    proof = card.precisions.get(precision)
    if proof is None:
        why = "its card has no figures for it"
    elif proof.proved:
        return
    elif not proof.difference:
        why = "its card compares no label with f32"
    else:
        label, fall = min(proof.difference.items(), key=lambda item: item[1])
        why = f"AP50 of {label} changes by {fall:+.3f} against f32, and at most -0.01 is accepted"
    raise ConfigError(
        f"detector.precision: {card.name} {card.version} is not proved in {precision}: {why}. "
        "Use auto, f32, or a model that is exported again with `kitchen-watch export`."
    )


def choose(
    model_path: Path, card: ModelCard, machine: Machine, measure: Measure, kept: Path, *, variant: str = ""
) -> Precision:
    """The precision for this machine: as kept in the file ``kept``, else measured, and then kept.

    ``variant`` tells apart what else changes the cost, such as the device.
    """
    candidates = [one for one in proved(model_path, card) if one == "f32" or one in machine.calculates]
    if len(candidates) == 1:
        return "f32"
    hashes = [card.sha256, *(card.precisions[one].sha256 for one in candidates if one in card.precisions)]
    key = hashlib.sha256("\n".join([machine.name, variant, *candidates, *hashes]).encode()).hexdigest()
    known = _read(kept)
    for one in candidates:
        if known.get(key, {}).get("precision") == one:
            log.info("precision as measured before", precision=one, model=card.name, version=card.version)
            return one
    costs = measure(candidates)
    best = candidates[0]
    for one in candidates[1:]:
        if costs[one] <= WORTHWHILE * costs[best]:
            best = one
    rounded = {name: round(cost, 2) for name, cost in costs.items()}
    log.info("precision measured", precision=best, cpu_ms=rounded, model=card.name, version=card.version)
    known[key] = {"precision": best, "model": f"{card.name} {card.version}", "cpu_ms": rounded}
    _write(kept, dict(list(known.items())[-MOST_KEPT:]))
    return best


def _read(kept: Path) -> dict[str, dict[str, object]]:
    try:
        known = json.loads(kept.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(known, dict):
        return {}
    return {str(key): value for key, value in known.items() if isinstance(value, dict)}


def _write(kept: Path, known: dict[str, dict[str, object]]) -> None:
    """Keep it where the folder exists; a check of a configuration creates none."""
    new = kept.with_suffix(".new")
    try:
        if not kept.parent.is_dir():  # raises where a folder above may not be entered
            return
        new.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
        new.replace(kept)
    except OSError as error:
        log.warning("the chosen precision cannot be kept; it is measured at every start", error=str(error))
