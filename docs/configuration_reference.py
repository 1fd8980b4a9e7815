"""Writes docs/configuration.md from the settings models, so that the reference cannot go stale.

python docs/configuration_reference.py            # write it
python docs/configuration_reference.py --check    # fail if it is not up to date
"""

from __future__ import annotations

import re
import sys
import types
import typing
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from kitchen_watch.backend.settings import BackendSettings
from kitchen_watch.cluster.configuration import ClusterSettings
from kitchen_watch.edge.rules.parameters import RuleParameters
from kitchen_watch.edge.settings import CameraSettings, EdgeSettings

TARGET = Path(__file__).with_name("configuration.md")
INTRODUCTION = """# Configuration reference

Generated from the code by `python docs/configuration_reference.py`; do not edit by hand.

Files are YAML. An unknown key, a key given twice or a value out of range refuses to start and names
the file, the line and the key. `${NAME}` is taken from the environment, `${NAME:-value}` has a
default: keep passwords there. `kitchen-watch check edge.yaml` validates a file together with cameras,
model, disk, clock and backend.
"""


def reference() -> str:
    """The whole page as Markdown."""
    parts = [INTRODUCTION]
    for title, model in (
        ("Edge (`kitchen-watch edge --config edge.yaml`)", EdgeSettings),
        ("Cluster (`kitchen-watch cluster start --config cluster.yaml`; see cluster.md)", ClusterSettings),
        ("Rules (`configs/rules.yaml`, and `rules:` of an edge or a camera)", RuleParameters),
        ("Backend (`kitchen-watch backend --config backend.yaml`)", BackendSettings),
    ):
        parts.append(f"## {title}\n")
        parts.extend(_tables(model, "", {CameraSettings} if model is ClusterSettings else set()))
    return "\n".join(parts)


def _tables(model: type[BaseModel], prefix: str, seen: set[type[BaseModel]]) -> list[str]:
    seen.add(model)
    heading = f"### `{prefix}`\n\n" if prefix else ""
    rows = [
        f"{heading}{_first_paragraph(model)}\n",
        "| key | type | default | meaning |",
        "|---|---|---|---|",
    ]
    nested: list[tuple[str, type[BaseModel]]] = []
    for name, field in model.model_fields.items():
        rows.append(
            f"| `{name}` | {_type(field.annotation)} | {_default(field)} | {_meaning(model, name, field)} |"
        )
        for inner in _models(field.annotation):
            if inner not in seen:
                seen.add(inner)
                many = "[]" if "tuple" in str(field.annotation) or "list" in str(field.annotation) else ""
                nested.append((f"{prefix}.{name}{many}" if prefix else f"{name}{many}", inner))
    rows.append("")
    for place, inner in nested:
        rows.extend(_tables(inner, place, seen))
    return rows


def _first_paragraph(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").strip().split("\n\n")[0].split()).replace("``", "`")


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in typing.get_args(annotation) for model in _models(part)]


def _type(annotation: Any) -> str:
    if isinstance(annotation, type) and not typing.get_args(annotation):
        if annotation is SecretStr:
            return "secret text"
        return {"str": "text", "int": "number", "float": "number", "bool": "true/false", "Path": "path"}.get(
            annotation.__name__, "mapping" if issubclass(annotation, BaseModel) else annotation.__name__
        )
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _type(arguments[0])
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type(part) for part in arguments if part is not type(None))
    if origin in (tuple, list):
        return "list of " + _type(arguments[0])
    if origin is dict:
        return "mapping"
    return re.sub(r"[|]", "or", str(annotation))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if value is PydanticUndefined:
        value = field.default_factory() if field.default_factory else None  # type: ignore[call-arg]  # takes no data here
    if value is None or value in ((), {}):
        return "–"
    if isinstance(value, BaseModel):
        return "see below"
    if isinstance(value, tuple):
        value = list(value)
    return f"`{value}`".lower() if isinstance(value, bool) else f"`{value}`"


def _meaning(model: type[BaseModel], name: str, field: FieldInfo) -> str:
    return (field.description or _attribute_note(model, name)).replace("|", "\\|").replace("\n", " ")


def _attribute_note(model: type[BaseModel], name: str) -> str:
    bounds = [str(item).replace("annotated_types.", "") for item in model.model_fields[name].metadata]
    words = {"Ge(ge=": "at least ", "Gt(gt=": "more than ", "Le(le=": "at most ", "Lt(lt=": "less than "}
    said = [
        next((word + bound[len(key) : -1] for key, word in words.items() if bound.startswith(key)), "")
        for bound in bounds
    ]
    return ", ".join(filter(None, said))


if __name__ == "__main__":
    page = reference()
    if "--check" in sys.argv[1:]:
        if TARGET.read_text(encoding="utf-8") != page:
            sys.exit(f"{TARGET.name} is out of date: run python docs/configuration_reference.py")
    else:
        TARGET.write_text(page, encoding="utf-8")
        print(f"wrote {TARGET}")
