"""What several tests need: optional parts that must be there in CI, and where real data lies."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared"
CLIPS = SHARED / "data" / "clips"
DETECT = SHARED / "data" / "detect"


def need(module: str, *, why: str) -> None:
    """At the top of a test module: skip all of it (fail in CI) where the optional part is not installed."""
    try:
        require(module=module, why=why)
    except pytest.skip.Exception as skipped:
        pytest.skip(str(skipped), allow_module_level=True)


def require(*, module: str = "", program: str = "", path: Path | None = None, why: str) -> None:
    """Go on if the optional part is there; otherwise skip with ``why``, or fail where CI=true."""
    missing = ""
    if module and importlib.util.find_spec(module) is None:
        missing = f"Python module {module}"
    elif program and shutil.which(program) is None:
        missing = f"program {program}"
    elif path is not None and not path.exists():
        missing = f"{path.name}"
    if not missing:
        return
    reason = f"{missing} is not installed here: {why}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
