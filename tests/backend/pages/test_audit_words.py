"""No deed of the audit log is without words: the code itself is asked which deeds there are."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path

from kitchen_watch.backend import audit
from kitchen_watch.backend.alerts.lifecycle import Step
from kitchen_watch.backend.complaints.tables import ComplaintStep
from kitchen_watch.backend.deadlines.clocks import MomentKind
from kitchen_watch.backend.holds.tables import HoldAct
from kitchen_watch.backend.pages.audit_words import ACTIONS, THINGS

BACKEND = Path(audit.__file__).parents[1]
MADE: dict[str, type[StrEnum]] = {
    "alert_*": Step,
    "complaint_*": ComplaintStep,
    "hold_*": HoldAct,
    "*_issued": MomentKind,
}
"""Names that are put together, and from what."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


def texts(value: ast.expr, inside: Function) -> Iterator[str]:
    """What an expression may be; ``*`` stands for what is put in."""
    match value:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp():
            yield from texts(value.body, inside)
            yield from texts(value.orelse, inside)
        case ast.JoinedStr():
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in value.values)
        case ast.Name():
            for node in ast.walk(inside):
                if isinstance(node, ast.Assign) and any(
                    isinstance(target, ast.Name) and target.id == value.id for target in node.targets
                ):
                    yield from texts(node.value, inside)


def written_in(tree: ast.Module) -> Iterator[tuple[ast.Call, list[str]]]:
    """Calls that write into the log, with the deeds they may write, also through a helper of the module."""
    functions = [node for node in ast.walk(tree) if isinstance(node, Function)]
    place = {"record": 2, "note": 1}
    for function in functions:
        names = [one.arg for one in function.args.args]
        if "action" in names and function.name not in place and hands_on(function):
            place[function.name] = names.index("action") - (names[0] == "self")
    for function in functions:
        own = {one.arg for one in function.args.args}
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            name, given = name_of(call.func), call.args
            if name == "run_in_threadpool" and name_of(given[0]) in place:
                name, given = name_of(given[0]), given[1:]
            if name in {"record", "note"} and (not given or name_of(given[0]) != "session"):
                continue  # something else of that name
            if name in place and len(given) > place[name]:
                action = given[place[name]]
                if not (isinstance(action, ast.Name) and action.id in own):
                    yield call, list(texts(action, function))


def hands_on(function: Function) -> bool:
    """Whether a function writes what its ``action`` says; some call other things so."""
    return any(
        name_of(call.func) in {"record", "note"}
        and any(isinstance(one, ast.Name) and one.id == "action" for one in call.args)
        for call in ast.walk(function)
        if isinstance(call, ast.Call)
    )


def name_of(value: ast.expr) -> str:
    return value.attr if isinstance(value, ast.Attribute) else getattr(value, "id", "")


def deeds() -> set[str]:
    found: set[str] = set()
    for path in BACKEND.rglob("*.py"):
        for call, names in written_in(ast.parse(path.read_text(encoding="utf-8"))):
            assert names, f"{path.name}:{call.lineno}: which deed this is cannot be seen"
            found.update(names)
    return found


def spelled_out(names: Iterable[str]) -> set[str]:
    found = set()
    for name in names:
        parts = [one.value for one in MADE[name]] if "*" in name else [""]
        found |= {name.replace("*", part) for part in parts}
    return found


def test_every_deed_has_words_and_no_words_are_left_over() -> None:
    assert spelled_out(deeds()) == set(ACTIONS)


def test_what_a_deed_was_done_to_has_words() -> None:
    kinds = set()
    for path in BACKEND.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or name_of(node.func) not in {"record", "note"}:
                continue
            about = [one.value for one in node.keywords if one.arg == "about"] + node.args
            for value in about:
                if isinstance(value, ast.Tuple) and isinstance(value.elts[0], ast.Constant):
                    kinds.add(value.elts[0].value)
    assert kinds, "the code was read"
    assert kinds <= set(THINGS)
