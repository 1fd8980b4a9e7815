"""The grouped queries behind precision: what people found true and false, by rule, camera and model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, String, case, cast, func, select, tuple_
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.states import AlertState
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.statistics.questions import Question

SOURCES = ("rule", "camera", "model")


def judged_by_source(session: Session, question: Question, by: str) -> Select[Any]:
    """Judged alerts by code and ``by`` ("rule", "camera" or "model"): true and false, with confidences."""
    wrong = case((AlertRow.state == AlertState.FALSE_ALARM, 1), else_=0)
    source: ColumnElement[Any]
    if by == "camera":
        source = cast(AlertRow.camera_id, String)
    elif by == "model":
        source = _model_name()
    else:
        source = cast(AlertRow.code, String)
    step = cast(func.floor(AlertRow.confidence * 20), Integer)
    if session.get_bind().dialect.name == "sqlite":
        step = cast(AlertRow.confidence * 20, Integer)
    named, stepped = source.label("source"), step.label("step")
    return (
        select(AlertRow.code, named, stepped, func.count(), func.sum(wrong))
        .where(*question.where(), AlertRow.state != AlertState.PENDING_VERIFICATION)
        .group_by(AlertRow.code, named, stepped)
        .order_by(AlertRow.code, named, stepped)
    )


def judged_by_every_source(session: Session, question: Question) -> Iterator[tuple[str, Any]]:
    """(by, row of :func:`judged_by_source`) for every source; where the database can, in one pass."""
    if session.get_bind().dialect.name == "sqlite":
        for by in SOURCES:
            yield from ((by, row) for row in session.execute(judged_by_source(session, question, by)))
        return
    one = (
        select(
            AlertRow.code,
            AlertRow.camera_id,
            _model_name().label("model"),
            cast(func.floor(AlertRow.confidence * 20), Integer).label("step"),
            case((AlertRow.state == AlertState.FALSE_ALARM, 1), else_=0).label("wrong"),
        )
        .where(*question.where(), AlertRow.state != AlertState.PENDING_VERIFICATION)
        .subquery()
        .c
    )
    whole, cameras, models = (
        tuple_(one.code, one.step),
        tuple_(one.code, one.step, one.camera_id),
        tuple_(one.code, one.step, one.model),
    )
    query = select(
        func.grouping(one.camera_id, one.model),
        one.code,
        one.camera_id,
        one.model,
        one.step,
        func.count(),
        func.sum(one.wrong),
    ).group_by(func.grouping_sets(whole, cameras, models))
    for left_out, code, camera_id, model, step, all_, wrong in session.execute(query):
        by = {3: "rule", 1: "camera", 2: "model"}[left_out]
        yield by, (code, {"rule": code, "camera": camera_id, "model": model}[by], step, all_, wrong)


def _model_name() -> ColumnElement[Any]:
    name, version = AlertRow.model["name"].as_string(), AlertRow.model["version"].as_string()
    return func.coalesce(name, "") + " " + func.coalesce(version, "")
