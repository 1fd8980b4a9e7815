"""Who loads what: rules stay pure, the backend starts without a model, the command line starts light."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import kitchen_watch
from tests.support import REPOSITORY

MEDIA = {"av", "cv2", "openvino", "supervision", "trackers", "torch", "ultralytics"}


def _loaded_by(statement: str) -> set[str]:
    """Top-level modules in memory after ``statement`` in a fresh interpreter."""
    code = f"{statement}\nimport sys\nprint('\\n'.join({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return set(done.stdout.split())


def _modules(package: str) -> list[str]:
    found = import_module(package)
    return [item.name for item in pkgutil.walk_packages(found.__path__, f"{package}.")]


def test_rules_load_no_media_library_and_no_web_framework() -> None:
    names = ", ".join(_modules("kitchen_watch.edge.rules"))
    assert _loaded_by(f"import {names}").isdisjoint(MEDIA | {"fastapi", "sqlalchemy", "httpx"})


def test_the_backend_loads_no_model_no_numpy_and_nothing_of_the_edge() -> None:
    loaded = _loaded_by(
        "import kitchen_watch.backend.app, sys\n"
        "assert not [name for name in sys.modules if name.startswith('kitchen_watch.edge')]"
    )
    assert loaded.isdisjoint(MEDIA | {"numpy"})


def test_the_command_line_starts_without_anything_heavy() -> None:
    heavy = MEDIA | {"numpy", "fastapi", "sqlalchemy", "scipy", "matplotlib"}
    assert _loaded_by("import kitchen_watch.cli").isdisjoint(heavy)


@pytest.mark.parametrize("path", sorted(Path(kitchen_watch.__path__[0]).rglob("__init__.py")))
def test_package_files_hold_a_docstring_only(path: Path) -> None:
    body = compile(path.read_text(encoding="utf-8"), str(path), "exec").co_names
    assert set(body) <= {"__doc__"}


@pytest.mark.parametrize("path", sorted(Path(kitchen_watch.__path__[0]).rglob("*.py")))
def test_no_file_outgrows_its_room(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_nothing_of_this_machine_is_written_into_the_sources() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "src", "configs", "docs", "Makefile", "README.md"],
        capture_output=True, text=True, check=True, cwd=REPOSITORY,
    ).stdout.split()  # fmt: skip
    texts = {".py", ".yaml", ".md", ".html", ".js", ".css", ".toml", ""}
    for name in listed:
        path = REPOSITORY / name
        if path.suffix in texts and path.is_file():
            assert "../shared" not in path.read_text(encoding="utf-8"), f"{name} depends on files users lack"


def test_tests_that_load_torch_run_apart() -> None:
    """Ultralytics changes how Pillow opens pictures; two OpenMP runtimes in one process end in a crash."""
    said = {
        path.relative_to(REPOSITORY).as_posix()
        for path in (REPOSITORY / "tests").rglob("test_*.py")
        if "\nneed_torch()" in path.read_text(encoding="utf-8")
    }
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    assert said
    assert not {
        path for path in said if path not in makefile.partition("TORCH_TESTS :=")[2].partition("\n\n")[0]
    }
