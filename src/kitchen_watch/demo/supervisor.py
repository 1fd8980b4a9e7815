"""Starts the demo's programs in order, watches them, and stops them cleanly whatever happens."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kitchen_watch.demo import configuration as files
from kitchen_watch.demo.children import STEADY_S, Child, pause_before_restart
from kitchen_watch.demo.clips import Clip, usable_clips
from kitchen_watch.demo.district import camera_names, district, logins
from kitchen_watch.demo.readiness import (
    POLL_S,
    START_LIMIT_S,
    ChildFailed,
    first_line,
    get,
    get_values,
    last_words,
    wait_until_ready,
)
from kitchen_watch.demo.rendering import missing, render_missing
from kitchen_watch.demo.screen import Screen
from kitchen_watch.demo.summary import ZERO, Summary, counts_of, summary_of
from kitchen_watch.demo.terminal import ended_by_signals, sole_user
from kitchen_watch.errors import ConfigError
from kitchen_watch.redact import redact

WEB_PORT, RTSP_PORT = 8000, 8554
DRAIN_LIMIT_S = 20.0
PROGRAM = (sys.executable, "-c", "from kitchen_watch.cli import main; main()")
_PASSWORD = re.compile(r"^(?P<login>\S+) may log in once with: (?P<password>\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class DemoOptions:
    """What the user asked for. ``seconds`` of streaming, or ``None`` to stay until told to stop."""

    data_dir: Path
    seconds: float | None = None
    port: int | None = None
    clips: Path | None = None
    cameras: Sequence[str] = field(default=(), repr=False)
    samples: bool = True
    at_once: int | None = None
    """So many cameras are looked at at a time; ``None``: all of them."""
    fresh: bool = False


class Supervisor:
    """One run of the demo. ``program`` is the command that stands for ``kitchen-watch``."""

    def __init__(self, options: DemoOptions, screen: Screen, *, program: Sequence[str] = PROGRAM) -> None:
        self._options = options
        self._program = tuple(program)
        self._screen = screen
        self._home = Path()
        self._children: list[Child] = []
        self._status_url = ""
        self._web_url = ""
        self._before = ZERO

    def run(self) -> int:
        """Everything from the first start to the last child's end; the exit code.

        Raises:
            ConfigError: an option or a file cannot be used.
            ChildFailed: a program ended while starting.
        """
        options = self._options
        guests = files.guest_cameras(options.cameras)
        if options.port is not None:
            files.free_ports(options.port, required=True, what="--port")
        self._home = files.prepare(options.data_dir)
        with sole_user(self._home), ended_by_signals(self._kill_all):
            if options.fresh:
                files.forget(self._home)
            try:
                self._start(guests)
                if options.seconds is None:
                    self._screen.say("Ctrl-C stops everything.")
                return self._watch(options.seconds)
            except KeyboardInterrupt:
                self._screen.say("stopping...")
                raise
            finally:
                self._stop()

    def _start(self, guests: Sequence[files.GuestCamera]) -> None:
        options, home = self._options, self._home
        clips = self._clips(home / "films")
        if not (options.samples or clips or guests):
            raise ConfigError("--no-samples leaves no camera. Add --clips or --camera.")
        if options.samples and missing(home / "films"):
            with self._screen.bar("rendering the sample cameras (once, about half a minute)") as progress:
                render_missing(home / "films", progress=progress)
        self._screen.say("Starting cameras, backend and edge...")
        secret = files.kept_secret(home / "edge-secret")
        names = {clip.camera_id: clip.name for clip in clips}
        names |= {guest.camera_id: guest.camera_id for guest in guests}
        specification = district(secret=secret, guests=names, without_samples=not options.samples)
        cameras = self._start_cameras() if options.samples or clips else None
        passwords = self._start_backend(specification)
        streams = (
            {camera["camera_id"]: camera["url"] for camera in first_line(cameras)["cameras"]}
            if cameras
            else {}
        )
        wait_until_ready(self._children[-1], f"{self._web_url}/readyz")
        # A port of its own choice: nobody needs to know it by heart, and other edges may run here.
        status_port = files.free_ports(0)
        self._status_url = f"http://{files.LOOPBACK}:{status_port}"
        values = files.edge_configuration(
            data_dir=home / "edge", backend_url=self._web_url, secret=secret, status_port=status_port,
            streams=streams, guests=guests, names=camera_names(specification),
            at_once=self._options.at_once,
        )  # fmt: skip
        files.write_private(home / "edge.yaml", values)
        edge = self._child("edge", [*self._program, "edge", "--config", str(home / "edge.yaml")])
        wait_until_ready(edge, f"{self._status_url}/healthz")
        # The outbox counts on over all starts: what came of this one is the difference.
        status = wait_until_ready(edge, f"{self._status_url}/status").json()
        self._before = counts_of(status, self._metrics())
        self._screen.welcome(
            address=self._web_url, logins=logins(specification), passwords=passwords, streams=streams,
            status=self._status_url,
        )  # fmt: skip

    def _clips(self, films: Path) -> list[Clip]:
        if self._options.clips is None:
            return []
        with self._screen.bar("looking at your video files") as progress:
            clips, refusals = usable_clips(
                self._options.clips, films, progress=lambda _name, share: progress(share, 1.0)
            )
        for sentence in refusals:
            self._screen.say(f"not served: {sentence}")
            self._screen.record("clip_refused", reason=redact(sentence))
        return clips

    def _start_cameras(self) -> Child:
        options = self._options
        port = self._port(RTSP_PORT, count=2)
        command = [sys.executable, "-m", "kitchen_watch.demo.cameras"]
        command += ["--directory", str(self._home / "films"), "--port", str(port)]
        if options.clips is not None:
            command += ["--clips", str(options.clips.resolve())]
        if not options.samples:
            command += ["--no-samples"]
        return self._child("cameras", command, announces=True)

    def _start_backend(self, specification: Mapping[str, Any]) -> dict[str, str]:
        """Store the district, start the backend; one-time passwords of all who have not chosen their own."""
        home, data_dir = self._home, self._home / "backend"
        config = home / "backend.yaml"
        files.write_private(home / "district.yaml", specification)
        files.write_private(config, files.backend_configuration(data_dir=data_dir, port=WEB_PORT))
        done = subprocess.run(  # noqa: S603 - our own command
            [
                *self._program, "people", "seed", str(home / "district.yaml"), "--config", str(config),
                "--reissue",
            ],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=START_LIMIT_S,
        )  # fmt: skip
        if done.returncode != 0:
            reason = redact(done.stderr.strip()[-600:])
            raise ChildFailed(f"The sample district could not be stored: {reason}")
        wished = self._options.port
        port = self._port(wished or WEB_PORT, required=wished is not None, what="--port")
        self._web_url = f"http://{files.LOOPBACK}:{port}"
        files.write_private(config, files.backend_configuration(data_dir=data_dir, port=port))
        self._child("backend", [*self._program, "backend", "--config", str(config)])
        return {match["login"]: match["password"] for match in _PASSWORD.finditer(done.stdout)}

    def _port(self, wanted: int, *, count: int = 1, required: bool = False, what: str = "") -> int:
        port = files.free_ports(wanted, count=count, required=required, what=what)
        if port != wanted:
            self._screen.say(f"Port {wanted} is in use by another program; {port} is taken instead.")
        return port

    def _child(self, name: str, command: Sequence[str], *, announces: bool = False) -> Child:
        child = Child(name, command, self._home / "logs" / f"{name}.log", announces=announces)
        self._children.append(child)
        child.start()
        return child

    def _watch(self, seconds: float | None) -> int:
        """Stay, restarting what dies; with ``seconds`` end with a summary after so much streaming."""
        streaming_since: float | None = None
        due: dict[str, float] = {}
        while True:
            now = time.monotonic()
            for child in self._children:
                self._look_after(child, due, now)
            if seconds is not None:
                if streaming_since is None and self._streams():
                    streaming_since = now
                if streaming_since is not None and now - streaming_since >= seconds:
                    self._screen.summarise(self._drained(streaming_since))
                    return 0 if all(child.running for child in self._children) else 1
            time.sleep(POLL_S)

    def _look_after(self, child: Child, due: dict[str, float], now: float) -> None:
        if child.running:
            if child.restarts and now - child.started > STEADY_S:
                child.restarts = 0
        elif child.name not in due:
            pause = pause_before_restart(child.restarts)
            due[child.name] = now + pause
            self._screen.say(last_words(child, f"ended with code {child.exit_code}; again in {pause:.0f} s"))
            self._screen.record("child_died", name=child.name, code=child.exit_code, restart_in_s=pause)
        elif now >= due[child.name]:
            del due[child.name]
            child.stop(patience_s=0)
            child.restarts += 1
            child.start()
            self._screen.say(f"{child.name} was started again.")
            self._screen.record("child_restarted", name=child.name)

    def _streams(self) -> bool:
        cameras = get_values(f"{self._status_url}/status").get("cameras", ())
        return any(camera["state"] == "streaming" for camera in cameras)

    def _drained(self, streaming_since: float) -> Summary:
        """The figures once the outbox is empty, or after the limit."""
        deadline = time.monotonic() + DRAIN_LIMIT_S
        while True:
            # The backend after the edge: what was delivered until then is in both.
            status = get_values(f"{self._status_url}/status")
            summary = summary_of(
                status, self._metrics(), before=self._before, seconds=time.monotonic() - streaming_since,
                wanted_per_second=files.ANALYSED_PER_SECOND, at_once=self._options.at_once,
            )  # fmt: skip
            if not (summary.pending or summary.uploads_pending) or time.monotonic() >= deadline:
                return summary
            time.sleep(POLL_S)

    def _metrics(self) -> str:
        answer = get(f"{self._web_url}/metrics")
        return answer.text if answer is not None and answer.is_success else ""

    def _stop(self) -> None:
        # What sends stops before what receives, so that nothing is in the air.
        order = {"edge": 0, "cameras": 1, "backend": 2}
        children = sorted(self._children, key=lambda child: order.get(child.name, 1))
        slow = [child.name for child in children if not child.stop()]
        for name in slow:
            self._screen.say(f"{name} did not stop in time and was killed.")
        self._screen.say(f"Everything is stopped; alerts and evidence are kept in {self._home}")
        self._screen.record("stopped")

    def _kill_all(self) -> None:
        for child in self._children:
            child.kill()
