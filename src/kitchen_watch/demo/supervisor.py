"""Starts the demo's programs in order, watches them, and stops them cleanly whatever happens."""

from __future__ import annotations

import fcntl
import json
import os
import re
import select
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import httpx

from kitchen_watch.demo import configuration as files
from kitchen_watch.demo.children import STEADY_S, Child, pause_before_restart
from kitchen_watch.demo.clips import Clip, usable_clips
from kitchen_watch.demo.district import camera_names, district, logins
from kitchen_watch.demo.rendering import missing, render_missing
from kitchen_watch.demo.screen import Screen
from kitchen_watch.demo.summary import Summary, summary_of
from kitchen_watch.errors import ConfigError, KitchenWatchError
from kitchen_watch.redact import redact

WEB_PORT, STATUS_PORT, RTSP_PORT = 8000, 9300, 8554
START_LIMIT_S = 90.0
DRAIN_LIMIT_S = 20.0
_POLL_S = 0.25
_NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Loading the machine's certificates at every question would cost more than the question."""
_PASSWORD = re.compile(r"^(?P<login>\S+) may log in once with: (?P<password>\S+)$", re.MULTILINE)
PROGRAM = (sys.executable, "-c", "from kitchen_watch.cli import main; main()")


@dataclass(frozen=True)
class DemoOptions:
    """What the user asked for. ``seconds`` of streaming, or ``None`` to stay until told to stop."""

    data_dir: Path
    seconds: float | None = None
    port: int | None = None
    clips: Path | None = None
    cameras: Sequence[str] = field(default=(), repr=False)
    samples: bool = True
    fresh: bool = False


class ChildFailed(KitchenWatchError):
    """A program of the demo ended while it was needed; its last words are part of the sentence."""


class Supervisor:
    """One run of the demo."""

    def __init__(self, options: DemoOptions, screen: Screen, *, program: Sequence[str] = PROGRAM) -> None:
        self._options = options
        self._program = tuple(program)
        self._screen = screen
        self._home = Path()
        self._children: list[Child] = []
        self._status_url = ""
        self._web_url = ""

    def run(self) -> int:
        """Everything from the first start to the last child's end; the exit code.

        Raises:
            ConfigError: an option or a file cannot be used.
            ChildFailed: a program ended while starting.
        """
        self._home = files.prepare(self._options.data_dir, fresh=self._options.fresh)
        with _sole_user(self._home), _stopped_by_signals(self._kill_all):
            try:
                self._start()
                if self._options.seconds is None:
                    self._screen.say("Ctrl-C stops everything.")
                return self._watch(self._options.seconds)
            finally:
                self._stop()

    def _start(self) -> None:
        options, home = self._options, self._home
        guests = files.guest_cameras(options.cameras)
        films = home / "films"
        if options.samples and missing(films):
            with self._screen.bar("rendering the sample cameras (once)") as progress:
                render_missing(films, progress=progress)
        clips = self._clips(films)
        if not (options.samples or clips or guests):
            raise ConfigError("--no-samples leaves no camera. Add --clips or --camera.")
        web_port = self._port(options.port or WEB_PORT, required=options.port is not None, what="--port")
        status_port, rtsp_port = self._port(STATUS_PORT), self._port(RTSP_PORT, count=2)
        self._web_url = f"http://{files.LOOPBACK}:{web_port}"
        self._status_url = f"http://{files.LOOPBACK}:{status_port}"
        secret = files.kept_secret(home / "edge-secret")
        names = {clip.camera_id: clip.name for clip in clips} | {
            guest.camera_id: guest.camera_id for guest in guests
        }
        specification = district(secret=secret, guests=names, without_samples=not options.samples)
        files.write_private(home / "district.yaml", specification)
        files.write_private(
            home / "backend.yaml", files.backend_configuration(data_dir=home / "backend", port=web_port)
        )
        cameras = self._child("cameras", _camera_command(options, films, rtsp_port), announces=True)
        passwords = self._seed()
        backend = self._child("backend", [*self._program, "backend", "--config", str(home / "backend.yaml")])
        streams = self._announced(cameras)
        self._await(backend, f"{self._web_url}/readyz")
        edge_values = files.edge_configuration(
            data_dir=home / "edge", backend_url=self._web_url, secret=secret, status_port=status_port,
            streams=streams, guests=guests, names=camera_names(specification),
        )  # fmt: skip
        files.write_private(home / "edge.yaml", edge_values)
        edge = self._child("edge", [*self._program, "edge", "--config", str(home / "edge.yaml")])
        self._await(edge, f"{self._status_url}/healthz")
        self._screen.welcome(
            address=self._web_url, logins=logins(specification), passwords=passwords, streams=streams
        )

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

    def _seed(self) -> dict[str, str]:
        """Put the district into the database; one-time passwords of logins that are new."""
        done = subprocess.run(  # noqa: S603 - our own command
            [*self._program, "people", "seed", str(self._home / "district.yaml"),
             "--config", str(self._home / "backend.yaml")],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=START_LIMIT_S,
        )  # fmt: skip
        if done.returncode != 0:
            raise ChildFailed(
                f"The sample district could not be stored: {redact(done.stderr.strip()[-600:])}"
            )
        return {match["login"]: match["password"] for match in _PASSWORD.finditer(done.stdout)}

    def _announced(self, child: Child) -> dict[str, str]:
        """Addresses of the cameras, as their process says them."""
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            pipe = child.process.stdout if child.process is not None else None
            if pipe is not None and select.select([pipe], [], [], _POLL_S)[0]:
                line = pipe.readline()
                if line:
                    return {camera["camera_id"]: camera["url"] for camera in json.loads(line)["cameras"]}
            self._fail_if_ended(child)
        raise ChildFailed(_last_words(child, "did not start in time"))

    def _await(self, child: Child, url: str) -> None:
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            answer = _get(url)
            if answer is not None and answer.is_success:
                return
            self._fail_if_ended(child)
            time.sleep(_POLL_S)
        raise ChildFailed(_last_words(child, "did not become ready in time"))

    def _fail_if_ended(self, child: Child) -> None:
        if not child.running:
            raise ChildFailed(_last_words(child, f"ended with code {child.exit_code} while starting"))

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
                    break
            time.sleep(_POLL_S)
        self._screen.summarise(self._drained())
        return 0 if all(child.running for child in self._children) else 1

    def _look_after(self, child: Child, due: dict[str, float], now: float) -> None:
        if child.running:
            if child.restarts and now - child.started > STEADY_S:
                child.restarts = 0
            return
        if child.name not in due:
            pause = pause_before_restart(child.restarts)
            due[child.name] = now + pause
            self._screen.say(_last_words(child, f"ended with code {child.exit_code}; again in {pause:.0f} s"))
            self._screen.record("child_died", name=child.name, code=child.exit_code, restart_in_s=pause)
        elif now >= due[child.name]:
            del due[child.name]
            child.stop(patience_s=0)
            child.restarts += 1
            child.start()
            self._screen.say(f"{child.name} was started again.")
            self._screen.record("child_restarted", name=child.name)

    def _streams(self) -> bool:
        status = self._status()
        return any(camera["state"] == "streaming" for camera in status.get("cameras", ()))

    def _drained(self) -> Summary:
        """The figures once the outbox is empty, or after the limit."""
        deadline = time.monotonic() + DRAIN_LIMIT_S
        while True:
            metrics = _get(f"{self._web_url}/metrics")
            summary = summary_of(self._status(), metrics.text if metrics is not None else "")
            if not (summary.pending or summary.uploads_pending) or time.monotonic() >= deadline:
                return summary
            time.sleep(_POLL_S)

    def _status(self) -> dict[str, Any]:
        answer = _get(f"{self._status_url}/status")
        return dict(answer.json()) if answer is not None and answer.is_success else {}

    def _stop(self) -> None:
        # What sends stops before what receives, so that nothing is in the air.
        order = {"edge": 0, "cameras": 1, "backend": 2}
        for child in sorted(self._children, key=lambda child: order.get(child.name, 1)):
            if not child.stop():
                self._screen.say(f"{child.name} did not stop in time and was killed.")
        self._screen.record("stopped")

    def _kill_all(self) -> None:
        for child in self._children:
            child.kill()


def _camera_command(options: DemoOptions, films: Path, port: int) -> list[str]:
    command = [sys.executable, "-m", "kitchen_watch.demo.cameras"]
    command += ["--directory", str(films), "--port", str(port)]
    if options.clips is not None:
        command += ["--clips", str(options.clips.resolve())]
    if not options.samples:
        command += ["--no-samples"]
    return command


def _get(url: str) -> httpx.Response | None:
    """The answer of one of our own programs; ``None`` while it does not answer."""
    try:
        # Loopback only: a proxy of the environment must not see it, and no certificate is ever needed.
        with httpx.Client(trust_env=False, verify=_NO_CERTIFICATES, timeout=3.0) as client:
            return client.get(url)
    except httpx.HTTPError:
        return None


def _last_words(child: Child, what: str) -> str:
    lines = [redact(line) for line in child.last_lines()]
    words = "".join(f"\n    {line}" for line in lines)
    return f"{child.name} {what}. Its log: {child.log}{words}"


@contextmanager
def _sole_user(home: Path) -> Iterator[None]:
    """Hold the directory's lock.

    Raises:
        ConfigError: another demo runs there.
    """
    with (home / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                f"{home}: another demo runs with this directory. Stop it, or choose another with --data-dir."
            ) from None
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


@contextmanager
def _stopped_by_signals(kill_all: Callable[[], None]) -> Iterator[None]:
    """SIGTERM and SIGHUP end the demo as Ctrl-C does; a second signal while stopping kills at once."""
    received = 0

    def handle(_number: int, _frame: FrameType | None) -> None:
        nonlocal received
        received += 1
        if received == 1:
            raise KeyboardInterrupt
        kill_all()

    before = {
        number: signal.signal(number, handle)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is not signal.SIG_IGN  # nohup stays nohup
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
