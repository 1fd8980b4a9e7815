"""Strict configuration files: YAML in, typed settings out, one clear sentence when they are bad.

An unknown key, a duplicate key or a value out of range refuses to start and names the file, the
line and the key. ``${NAME}`` in a value is taken from the environment. Only the composition roots
(``edge.pipeline``, ``backend.app``, ``demo``, ``training``, the CLI) read configuration;
everything else receives what it needs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from kitchen_watch.errors import ConfigError
from kitchen_watch.redact import redact

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")

MOST_KEYS = 200_000
"""Of one file. A few lines of aliases of aliases would be more than any memory."""


class Settings(BaseModel):
    """Base of every settings model: unknown keys fail, values are frozen, defaults are checked."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        validate_default=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
    )


S = TypeVar("S", bound=BaseModel)


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader that refuses duplicate keys and remembers the line of every key path."""


def load_settings(path: Path, model: type[S], *, environment: Mapping[str, str] | None = None) -> S:
    """Read ``path`` as YAML and validate it as ``model``.

    Raises:
        ConfigError: the file cannot be read, is not YAML, has a duplicate or unknown key, names an
            environment variable that is not set, or a value is not acceptable.
    """
    values, lines = read_yaml(path, environment=environment)
    return validate(values, model, where=str(path), lines=lines)


def read_yaml(
    path: Path, *, environment: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], dict[tuple[str | int, ...], int]]:
    """The mapping in a YAML file, and the line (from 1) of every key path in it."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file. Give the path of an existing one.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}.") from error
    try:
        node = yaml.compose(text, Loader=_StrictLoader)
        lines: dict[tuple[str | int, ...], int] = {}
        if node is not None:
            _collect(node, (), lines, path)
        values = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - derives from SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}, line {mark.line + 1}" if mark else str(path)
        problem = getattr(error, "problem", None) or "is not YAML"
        raise ConfigError(f"{where}: {problem}. Correct the file there.") from error
    except ValueError as error:  # a date or number that does not exist, such as 2026-13-45
        raise ConfigError(f"{path}: {error}. Write text that is meant as such in quotes.") from error
    except RecursionError:
        raise ConfigError(f"{path}: is nested too deeply, or contains itself. Write it plainly.") from None
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: must be a mapping of keys to values at the top level.")
    return _expand(values, os.environ if environment is None else environment, str(path)), lines


def validate(
    values: Mapping[str, Any],
    model: type[S],
    *,
    where: str,
    lines: Mapping[tuple[str | int, ...], int] | None = None,
) -> S:
    """Validate ``values`` as ``model``; ``where`` names their source in the error.

    Raises:
        ConfigError: one line per problem, each with its place.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ConfigError("\n".join(_sentences(error, where, lines or {}))) from None


def _sentences(error: ValidationError, where: str, lines: Mapping[tuple[str | int, ...], int]) -> list[str]:
    sentences = []
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        place = tuple(problem["loc"])
        key = ".".join(str(part) for part in place) or "the file"
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            message = "is not a known key; remove it or correct its spelling"
        elif problem["type"] == "missing":
            message = "is required and missing"
        line = next((lines[place[:n]] for n in range(len(place), 0, -1) if place[:n] in lines), None)
        at = f"{where}, line {line}" if line else where
        sentences.append(redact(f"{at}: {key}: {message}."))
    return sentences


def _collect(
    node: yaml.Node,
    path: tuple[str | int, ...],
    lines: dict[tuple[str | int, ...], int],
    file: Path,
) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                raise ConfigError(
                    f"{file}, line {key.start_mark.line + 1}: {name}: is given twice. Keep one."
                )
            seen.add(name)
            _bound(lines, file)
            lines[*path, name] = key.start_mark.line + 1
            _collect(value, (*path, name), lines, file)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _bound(lines, file)
            lines[*path, index] = item.start_mark.line + 1
            _collect(item, (*path, index), lines, file)


def _bound(lines: Mapping[tuple[str | int, ...], int], file: Path) -> None:
    if len(lines) >= MOST_KEYS:
        raise ConfigError(f"{file}: has more than {MOST_KEYS} keys, aliases counted where they are used.")


def _expand(value: Any, environment: Mapping[str, str], where: str) -> Any:
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: _lookup(match, environment, where), value)
    if isinstance(value, dict):
        return {key: _expand(item, environment, where) for key, item in value.items()}
    if isinstance(value, list):
        return [_expand(item, environment, where) for item in value]
    return value


def _lookup(match: re.Match[str], environment: Mapping[str, str], where: str) -> str:
    name, default = match["name"], match["default"]
    if name in environment:
        return environment[name]
    if default is not None:
        return default
    raise ConfigError(
        f"{where}: the environment variable {name} is not set. Set it, or write a default as "
        f"${{{name}:-value}}."
    )
