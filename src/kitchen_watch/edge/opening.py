"""Opens what judges: the model and the rules that fit it, with every refusal before the first frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from kitchen_watch.clock import Clock
from kitchen_watch.edge.detect.detection import Detector
from kitchen_watch.edge.detect.opening import open_detector
from kitchen_watch.edge.detect.settings import DetectorSettings
from kitchen_watch.edge.rules.rule_set import RuleSet, SwitchedOff
from kitchen_watch.errors import ModelMismatch
from kitchen_watch.resources import shipped

SHIPPED_MODEL = "models/kitchen-yolo26n.onnx"
SHIPPED_RULES = "configs/rules.yaml"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A model and the rules it can serve."""

    detector: Detector
    rule_set: RuleSet
    switched_off: tuple[SwitchedOff, ...]


def open_rules(
    rules_file: Path | None, *, changes: Mapping[str, Mapping[str, Any]], overrides: Sequence[str] = ()
) -> RuleSet:
    """The rule catalogue with parameters replaced.

    Raises:
        ConfigError: the file or a parameter is not acceptable.
    """
    rule_set = RuleSet.load(rules_file or shipped(SHIPPED_RULES))
    return rule_set.patched(changes, where="rules").override(*overrides)


def fit_rules(rule_set: RuleSet, labels: Sequence[str]) -> tuple[RuleSet, tuple[SwitchedOff, ...]]:
    """The rules that a model with these labels can serve, and those it cannot.

    Raises:
        ModelMismatch: not one rule about the picture's content is left.
    """
    check = rule_set.check_labels(labels)
    if not check.usable:
        raise ModelMismatch(
            f"The model's labels ({', '.join(labels)}) serve no rule of the rule set, so it would watch and "
            "never see. Give a model with labels such as no_hat or rat, or rules for its labels."
        )
    return check.rule_set, check.switched_off


def open_judgement(
    *,
    model: Path | None = None,
    rules_file: Path | None = None,
    changes: Mapping[str, Mapping[str, Any]] | None = None,
    overrides: Sequence[str] = (),
    detector_settings: DetectorSettings | None = None,
    clock: Clock | None = None,
    choices: Path | None = None,
) -> Judgement:
    """Model and rules, checked against each other; ``choices`` as of :func:`open_detector`.

    Raises:
        ConfigError: the rules are bad.
        ModelMissing: no model file or card.
        ModelMismatch: hash, labels or shapes do not fit.
    """
    rule_set = open_rules(rules_file, changes=changes or {}, overrides=overrides)
    detector = open_detector(
        model or shipped(SHIPPED_MODEL), settings=detector_settings or DetectorSettings(), clock=clock,
        choices=choices,
    )  # fmt: skip
    rule_set, switched_off = fit_rules(rule_set, detector.labels)
    for rule in switched_off:
        log.debug("rule switched off", code=rule.code, reason=rule.reason)
    return Judgement(detector, rule_set, switched_off)
