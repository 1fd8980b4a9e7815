"""What is written down is true: the reference is generated anew, examples load, pictures exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from kitchen_watch.backend.settings import BackendSettings
from kitchen_watch.config import load_settings, read_yaml, validate
from kitchen_watch.edge.settings import EdgeSettings
from kitchen_watch.signing import new_secret
from tests.support import REPOSITORY


def test_the_configuration_reference_is_up_to_date() -> None:
    script = REPOSITORY / "docs" / "configuration_reference.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_page_on_scaling_says_what_the_newest_benchmark_measured() -> None:
    script = REPOSITORY / "docs" / "scaling.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_example_edge_configuration_loads() -> None:
    environment = {"KITCHEN_WATCH_EDGE_SECRET": new_secret(), "CAMERA_USER": "u", "CAMERA_PASSWORD": "p"}
    path = REPOSITORY / "configs" / "edge.example.yaml"
    values, lines = read_yaml(path, environment=environment)
    settings = validate(values, EdgeSettings, where=str(path), lines=lines)
    assert len(settings.cameras) == 2


def test_the_example_backend_configuration_loads() -> None:
    settings = load_settings(REPOSITORY / "configs" / "backend.example.yaml", BackendSettings, environment={})
    assert settings.https


@pytest.mark.parametrize(
    "page",
    [
        "README.md", "ARCHITECTURE.md", "models/README.md", "CHANGELOG.md",
        "docs/deploy.md", "docs/live.md", "docs/scaling.md",
    ],
)  # fmt: skip
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    path = REPOSITORY / page
    for target in re.findall(r"\]\((?!https?://|#)([^)#\s]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), f"{page} links {target}"


def test_the_readme_begins_with_the_two_commands() -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert text.index("make demo") < text.index("make test") < text.index("## Commands")
    assert Path(REPOSITORY / "LICENSE").read_text(encoding="utf-8").lstrip().startswith("GNU AFFERO")
