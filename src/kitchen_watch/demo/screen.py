"""What the demo says: tables and bars for people on standard error and output, or lines of JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from kitchen_watch.demo.district import Login
from kitchen_watch.demo.summary import Summary
from kitchen_watch.redact import redact

ROLES = {
    "admin": "administrator",
    "supervisor": "supervision group",
    "grid_officer": "regulator",
    "responsible_official": "responsible official",
    "premises_manager": "restaurant manager",
    "premises_staff": "restaurant staff",
}


class Screen:
    """With ``as_json`` standard output carries JSON lines only, and people read standard error."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._console = Console(stderr=as_json, highlight=False, soft_wrap=True)
        self._bars = Console(stderr=True)

    def say(self, sentence: str) -> None:
        """One line for people."""
        self._console.print(escape(redact(sentence)))

    def record(self, event: str, **values: Any) -> None:
        """One line for machines."""
        if self._as_json:
            sys.stdout.write(json.dumps({"event": event, **values}, ensure_ascii=False, default=str) + "\n")
            sys.stdout.flush()

    @contextmanager
    def bar(self, title: str) -> Iterator[Callable[[float, float], None]]:
        """A progress bar on standard error; the yielded function takes what is done and the whole.

        Where nobody watches, in a log file, the bar would not be seen: a plain line stands there instead.
        """
        if not self._console.is_terminal:
            self.say(f"{title[:1].upper()}{title[1:]}...")
        with Progress(
            TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
            console=self._bars, transient=True, disable=not self._bars.is_terminal,
        ) as progress:  # fmt: skip
            task = progress.add_task(title, total=None)
            yield lambda done, whole: progress.update(task, completed=done, total=whole)

    def welcome(
        self,
        *,
        address: str,
        logins: Sequence[Login],
        passwords: Mapping[str, str],
        streams: Mapping[str, str],
        status: str,
    ) -> None:
        """Where to look and with which one-time passwords."""
        table = Table(title=f"kitchen_watch is running: {address}", title_justify="left", title_style="bold")
        for heading in ("log in as", "one-time password", "who", ""):
            table.add_column(heading)
        for login in logins:
            password = passwords.get(login.username, "as you chose it")
            table.add_row(login.username, password, login.display_name, ROLES.get(login.role, login.role))
        self._console.print(table)
        if any(login.username not in passwords for login in logins):
            self.say(
                "Passwords that were chosen earlier still hold. To begin anew: kitchen-watch demo --fresh"
            )
        for camera_id, url in streams.items():
            self.say(f"camera {camera_id}: {url}")
        self.say(f"edge: {status}/status and {status}/metrics")
        self.record(
            "ready",
            address=address,
            edge_status=status,
            logins=[
                {"username": login.username, "role": login.role, "password": passwords.get(login.username)}
                for login in logins
            ],
            cameras=dict(streams),
        )

    def summarise(self, summary: Summary) -> None:
        """The figures of a run."""
        cameras = Table(title=f"Cameras in {summary.seconds:.0f} s of streaming", title_justify="left")
        headings = (
            "camera",
            "state",
            "received",
            "analysed",
            "a second",
            "still",
            "replaced",
        )
        for heading in headings:
            cameras.add_column(heading, justify="left" if heading in {"camera", "state"} else "right")
        for line in summary.cameras:
            reached = "unknown" if line.analysed_per_second is None else f"{line.analysed_per_second:.1f}"
            cameras.add_row(
                line.camera_id,
                line.state,
                str(line.received),
                str(line.analysed),
                reached,
                str(line.still),
                str(line.replaced),
            )
        alerts = Table(title="Alerts", title_justify="left")
        alerts.add_column("code")
        alerts.add_column("raised", justify="right")
        for code, count in summary.violations.items():
            alerts.add_row(code, str(count))
        self._console.print(cameras)
        whom = "each camera"
        if summary.at_once is not None:
            whom = f"each camera whose turn it is, {summary.at_once} at a time"
        self.say(
            f"Wanted are {summary.wanted_per_second:g} analysed frames a second of {whom}. Replaced are "
            "frames that were due for analysis and gave way to a newer one: the machine was busy. Still are "
            "frames that the model need not see, because it found the scene empty and nothing has changed."
        )
        self._console.print(alerts)
        self.say(
            f"events of this run: delivered {summary.delivered}, accepted by the backend "
            f"{_or_unknown(summary.accepted_by_backend)}, known to it already "
            f"{_or_unknown(summary.known_to_backend)}"
        )
        self.say(
            f"at its end, earlier runs included: pending {summary.pending}, refused {summary.dead}, "
            f"evidence files still to upload {summary.uploads_pending}"
        )
        self.record("summary", **summary.as_json())


def _or_unknown(count: int | None) -> str:
    return "unknown" if count is None else str(count)
