"""Images and compose file: valid, not as root, watched, and complete for what they run."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
import yaml
from compose_spec import PyCompose
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from kitchen_watch.backend.settings import BackendSettings
from kitchen_watch.config import load_settings
from kitchen_watch.edge.settings import EdgeSettings
from tests.deploy.places import DEPLOY, ROOT

COMPOSE = DEPLOY / "compose" / "compose.yaml"
IMAGES = sorted(DEPLOY.glob("*.Dockerfile"))
ENVIRONMENT = {
    "KITCHEN_WATCH_DATABASE_URL": "postgresql+psycopg://kitchen_watch:word@postgres/kitchen_watch",
    "KITCHEN_WATCH_PUBLIC_URL": "https://kitchens.example.gov.cn",
    "KITCHEN_WATCH_METRICS_TOKEN": "a-token",
    "KITCHEN_WATCH_TURN_SECRET": "another",
    "KITCHEN_WATCH_TURN_HOST": "turn.example.gov.cn",
    "KITCHEN_WATCH_EDGE_SECRET": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    "CAMERA_USER": "viewer",
    "CAMERA_PASSWORD": "word",
}


def _instructions(path: Path) -> list[tuple[str, str]]:
    text = re.sub(r"\\\n", " ", path.read_text(encoding="utf-8"))
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    return [(line.split(None, 1)[0].upper(), line.split(None, 1)[1]) for line in lines]


@pytest.mark.parametrize("path", IMAGES, ids=lambda path: path.name)
def test_an_image_runs_as_nobody_and_says_how_it_is(path: Path) -> None:
    instructions = _instructions(path)
    last = [index for index, (word, _) in enumerate(instructions) if word == "FROM"][-1]
    final = instructions[last:]
    words = [word for word, _ in final]
    assert ("USER", "kitchen-watch") in final
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert "HEALTHCHECK" in words
    assert "ADD" not in [word for word, _ in instructions], "COPY says what it does"
    for word, rest in instructions:
        if word == "FROM":
            assert re.match(r"\S+:[\w.-]+", rest), "a base image has a version"
            assert ":latest" not in rest
        if word == "RUN" and "pip install" in rest:
            assert rest.count("--no-cache-dir") == rest.count("pip install")
        if word == "RUN" and "apt-get install" in rest:
            assert "--no-install-recommends" in rest
            assert "rm -rf /var/lib/apt/lists" in rest


@pytest.mark.parametrize("path", IMAGES, ids=lambda path: path.name)
def test_what_an_image_copies_exists_and_is_not_ignored(path: Path) -> None:
    allowed = {
        line[1:]
        for line in path.with_name(f"{path.name}.dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    for word, rest in _instructions(path):
        if word == "COPY" and "--from" not in rest:
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert source in allowed, source


def test_the_compose_file_is_one() -> None:
    PyCompose.from_yaml(COMPOSE.read_text(encoding="utf-8"))
    services = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    assert {"backend", "postgres", "edge", "coturn", "prometheus", "grafana"} == set(services)
    for name, service in services.items():
        version = service["image"].partition(":")[2]
        assert "build" in service or (version and version != "latest"), f"{name}: an image with its version"
        assert service["restart"] == "unless-stopped"
    for name in ("backend", "edge"):
        assert services[name]["read_only"]
        assert services[name]["cap_drop"] == ["ALL"]


def test_every_variable_of_the_compose_file_is_in_the_example() -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE.read_text(encoding="utf-8"))) | {"METRICS_TOKEN"}
    example = (DEPLOY / "compose" / "example.env").read_text(encoding="utf-8")
    assert asked == set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))


def test_files_that_compose_mounts_exist() -> None:
    services = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    for service in services.values():
        for mount in service.get("volumes", ()):
            source = mount.split(":")[0]
            if source.startswith("."):
                assert (COMPOSE.parent / source).exists(), source


def test_the_settings_in_the_compose_folder_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    backend = load_settings(DEPLOY / "compose" / "backend.yaml", BackendSettings)
    edge = load_settings(DEPLOY / "compose" / "edge.yaml", EdgeSettings)
    assert backend.https
    assert edge.status.port == 9300
    services = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    for name in ("backend", "edge"):
        text = (DEPLOY / "compose" / f"{name}.yaml").read_text(encoding="utf-8")
        assert set(re.findall(r"\$\{([A-Z_]+)", text)) <= set(services[name]["environment"])


def _closure(names: list[str]) -> set[str]:
    """These distributions and all that they need here."""
    found: set[str] = set()
    waiting = [Requirement(name) for name in names]
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name in found:
            continue
        found.add(name)
        for text in requires(name) or ():
            further = Requirement(text)
            extras = wanted.extras or {""}
            if further.marker is None or any(further.marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append(further)
    return found


def test_the_backend_image_has_everything_that_the_backend_imports() -> None:
    lines = (DEPLOY / "backend-requirements.txt").read_text(encoding="utf-8").splitlines()
    names = [line for line in lines if line and not line.startswith("#")]
    there = _closure([name for name in names if not name.startswith("psycopg")])
    hidden = sorted(
        module
        for module, owners in packages_distributions().items()
        if not {canonicalize_name(owner) for owner in owners} & (there | {"kitchen-watch"})
    )
    program = (
        "import sys, pkgutil, importlib\n"
        f"hidden = set({hidden!r})\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in hidden: raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "import kitchen_watch.backend as it, kitchen_watch.cli\n"
        "for one in pkgutil.walk_packages(it.__path__, it.__name__ + '.'):\n"
        "    if '.migrations.' not in one.name: importlib.import_module(one.name)\n"
        "print(len(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]
    assert not {"openvino", "opencv-python", "av", "numpy"} & there
