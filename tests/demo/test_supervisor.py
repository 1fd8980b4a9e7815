"""One whole run of the demo with small stand-ins for edge and backend, and a film of the user's as camera."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kitchen_watch.demo.screen import Screen
from kitchen_watch.demo.supervisor import DemoOptions, Supervisor
from kitchen_watch.demo.terminal import sole_user
from kitchen_watch.errors import ConfigError, KitchenWatchError
from tests.demo.films import write_film
from tests.demo.test_children import alive, wait_for

pytestmark = pytest.mark.integration

FAKE = Path(__file__).with_name("fake_program.py")


@dataclass
class Stage:
    """Directories of one test."""

    home: Path
    scratch: Path
    clips: Path

    def supervisor(self, **options: Any) -> Supervisor:
        chosen = DemoOptions(data_dir=self.home, clips=self.clips, samples=False, **options)
        return Supervisor(
            chosen, Screen(as_json=True), program=[sys.executable, str(FAKE), str(self.scratch)]
        )

    def starts(self, name: str) -> list[int]:
        path = self.scratch / f"{name}-starts"
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def demo(self, *, stderr: int | None = None) -> subprocess.Popen[str]:
        """A demo as a process of its own, that stays."""
        program = (
            "import sys; from pathlib import Path\n"
            "from kitchen_watch.demo.screen import Screen\n"
            "from kitchen_watch.demo.supervisor import DemoOptions, Supervisor\n"
            f"home, clips = Path({str(self.home)!r}), Path({str(self.clips)!r})\n"
            "options = DemoOptions(data_dir=home, clips=clips, samples=False)\n"
            f"program = [sys.executable, {str(FAKE)!r}, {str(self.scratch)!r}]\n"
            "try:\n"
            "    sys.exit(Supervisor(options, Screen(as_json=True), program=program).run())\n"
            "except KeyboardInterrupt:\n"
            "    sys.exit(0)\n"
        )
        return subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=stderr, text=True
        )


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path / "home", tmp_path / "scratch", tmp_path / "clips")
    made.scratch.mkdir()
    made.clips.mkdir()
    write_film(made.clips / "door.mp4")
    yield made
    for name in ("edge", "backend"):
        assert not any(alive(pid) for pid in made.starts(name)), f"{name} was left behind"


def records(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {line["event"]: line for line in lines}


def test_a_timed_run_starts_everything_sums_up_and_stops_everything(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stage.supervisor(seconds=1.0).run() == 0

    said = records(capsys)
    assert said["ready"]["logins"][0] == {"username": "admin", "role": "admin", "password": "abcd-efgh-2345"}
    assert list(said["ready"]["cameras"]) == ["clip-door"]
    assert said["summary"]["violations"] == {"NO_HAT": 1}
    assert (said["summary"]["delivered"], said["summary"]["accepted_by_backend"]) == (2, 2)
    assert "stopped" in said
    assert (stage.scratch / "edge-ended-well").exists()
    assert (stage.scratch / "backend-ended-well").exists()


def test_one_time_passwords_are_kept_nowhere_so_every_start_tells_new_ones_until_one_is_chosen(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.supervisor(seconds=1.0).run()
    capsys.readouterr()
    written = [path for path in stage.home.rglob("*") if path.is_file()]
    assert not [path for path in written if b"abcd-efgh-2345" in path.read_bytes()]

    stage.supervisor(seconds=1.0).run()
    assert records(capsys)["ready"]["logins"][0]["password"] == "wxyz-wxyz-6789"

    (stage.scratch / "password-chosen").touch()
    stage.supervisor(seconds=1.0).run()
    assert records(capsys)["ready"]["logins"][0]["password"] is None


def test_a_program_that_dies_is_started_again(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    demo = stage.demo()
    assert demo.stdout is not None
    seen = iter(demo.stdout.readline, "")
    assert any(json.loads(line)["event"] == "ready" for line in seen)
    (first,) = stage.starts("edge")

    os.kill(first, signal.SIGKILL)
    events = []
    for line in seen:
        events.append(json.loads(line)["event"])
        if events[-1] == "child_restarted":
            break
    wait_for(lambda: len(stage.starts("edge")) == 2)
    demo.send_signal(signal.SIGINT)

    assert demo.wait(60) == 0
    assert events == ["child_died", "child_restarted"]
    demo.stdout.close()


def test_ctrl_c_is_answered_in_words_and_the_start_too(stage: Stage) -> None:
    demo = stage.demo(stderr=subprocess.PIPE)
    assert demo.stdout is not None
    assert any(json.loads(line)["event"] == "ready" for line in iter(demo.stdout.readline, ""))

    demo.send_signal(signal.SIGINT)
    _, said = demo.communicate(timeout=60)

    assert demo.returncode == 0
    lines = said.splitlines()
    assert "Starting cameras, backend and edge..." in lines
    assert lines[-2:] == [
        "stopping...",
        f"Everything is stopped; alerts and evidence are kept in {stage.home.resolve()}",
    ]


def test_a_program_that_cannot_start_says_why_without_its_secrets(stage: Stage) -> None:
    (stage.scratch / "edge-dies").touch()

    with pytest.raises(KitchenWatchError, match="edge ended with code 3 while starting") as failed:
        stage.supervisor(seconds=1.0).run()

    assert "this is why it died" in str(failed.value)
    assert "hunter2" not in str(failed.value)


def test_a_district_that_cannot_be_stored_is_said(stage: Stage) -> None:
    (stage.scratch / "seeding-fails").touch()

    with pytest.raises(KitchenWatchError, match="node 9901 lies elsewhere"):
        stage.supervisor(seconds=1.0).run()


def test_nothing_outlives_a_demo_that_is_killed(stage: Stage) -> None:
    demo = stage.demo()
    assert demo.stdout is not None
    assert any(json.loads(line)["event"] == "ready" for line in iter(demo.stdout.readline, ""))
    left = stage.starts("edge") + stage.starts("backend")

    demo.kill()
    demo.wait(10)

    wait_for(lambda: not any(alive(pid) for pid in left))
    demo.stdout.close()


def test_two_demos_do_not_share_a_directory(stage: Stage) -> None:
    stage.home.mkdir()
    with sole_user(stage.home), pytest.raises(ConfigError, match="another demo runs with this directory"):
        stage.supervisor(seconds=1.0).run()

    assert stage.starts("backend") == []


def test_without_any_camera_there_is_nothing_to_show(stage: Stage) -> None:
    options = DemoOptions(data_dir=stage.home, samples=False)

    with pytest.raises(ConfigError, match="--no-samples leaves no camera"):
        Supervisor(options, Screen(as_json=True)).run()
