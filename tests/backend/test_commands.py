"""Commands of the backend as an operator types them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import typer
from typer.testing import CliRunner

from kitchen_watch.backend import commands
from kitchen_watch.backend.serving import bind
from kitchen_watch.errors import KitchenWatchError

SERVE = (
    "import sys; from pathlib import Path; from kitchen_watch.backend.commands import backend; backend({})"
)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "backend.yaml"
    path.write_text(f"data_dir: {tmp_path / 'data'}\n", encoding="utf-8")
    return path


@dataclass(frozen=True)
class Done:
    """What a command did."""

    returncode: int
    stdout: str
    stderr: str


def run(*words: object) -> Done:
    """One command in this process, its known errors answered as the command line does."""
    app = typer.Typer()
    for name, function in commands.COMMANDS.items():
        app.command(name)(function)
    app.add_typer(commands.people_app, name="people")
    result = CliRunner().invoke(app, [str(word) for word in words])
    if isinstance(result.exception, KitchenWatchError):
        return Done(result.exception.exit_code, result.stdout, f"error: {result.exception}\n")
    return Done(result.exit_code, result.stdout, result.stderr)


def test_a_login_is_made_and_its_password_told(config: Path) -> None:
    made = run("people", "add", "--role", "admin", "Boss", "--config", config)
    assert (made.returncode, made.stderr) == (0, "")
    assert re.fullmatch(r"boss may log in once with: \S{14}\n", made.stdout)
    again = run("people", "add", "--role", "admin", "boss", "--config", config)
    assert (again.returncode, "people reset" in again.stderr) == (2, True)
    reset = run("people", "reset", "boss", "--config", config)
    assert (reset.returncode, reset.stdout != made.stdout) == (0, True)
    wrong = run("people", "add", "--role", "king", "someone", "--config", config)
    assert (wrong.returncode, "there is no role king" in wrong.stderr) == (2, True)


def test_a_district_file_is_put_in(config: Path, tmp_path: Path) -> None:
    district = tmp_path / "district.yaml"
    district.write_text(
        "nodes: [{code: c, kind: city, name: 城}]\nedges: [{edge_id: edge-9}]\n"
        "people: [{username: officer, display_name: 李, role: grid_officer, node: c}]\n",
        encoding="utf-8",
    )
    done = run("people", "seed", district, "--config", config)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^officer may log in once with: \S{14}$", done.stdout, re.MULTILINE)
    assert re.search(r"^the edge edge-9 signs with: whsec_", done.stdout, re.MULTILINE)
    assert run("people", "seed", district, "--config", config).stdout == ""
    anew = run("people", "seed", district, "--config", config, "--reissue")
    assert re.fullmatch(r"officer may log in once with: \S{14}\n", anew.stdout)
    assert anew.stdout not in done.stdout


def test_openapi_prints_nothing_but_the_document() -> None:
    done = run("openapi")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["info"]["title"] == "kitchen_watch"
    assert {"EventBatch", "FeedMessage", "Problem", "AlertDetail"} <= set(document["components"]["schemas"])


def test_bad_configurations_are_one_sentence_and_exit_code_2(config: Path) -> None:
    config.write_text("public_url: nonsense\n", encoding="utf-8")
    done = run("backend", "--config", config)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "line 1: public_url: must look like https" in done.stderr


def test_a_port_in_use_is_one_sentence_and_exit_code_2(config: Path) -> None:
    with bind("127.0.0.1", 0) as taken:
        done = run("backend", "--config", config, "--port", taken.getsockname()[1])
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "is in use. Stop the other program, or choose another with --port" in done.stderr


@pytest.fixture
def served(config: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE.format(f"Path({str(config)!r}), None, 0")],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert process.stderr is not None
    address = ""
    for line in process.stderr:
        if found := re.search(r"backend listens.*address=(\S+)", line):
            address = found[1]
            break
    yield process, address
    process.kill()
    process.wait()
    process.stderr.close()


@pytest.mark.integration
def test_it_serves_until_it_is_told_to_stop(served: tuple[subprocess.Popen[str], str]) -> None:
    process, address = served
    assert httpx.get(f"{address}/healthz", trust_env=False, timeout=30).text == "ok\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) in {0, -signal.SIGTERM}
