"""Shows a training run to whoever started it: a bar on a terminal, a line now and then in a log file."""

from __future__ import annotations

from datetime import timedelta
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from kitchen_watch.clock import Clock

LINES_AN_EPOCH = 4


class ShownRun:
    """The witness of a run on `console`; a context manager, since a bar must be taken down again."""

    def __init__(self, console: Console, clock: Clock) -> None:
        self._console = console
        self._clock = clock
        self._began = clock.now()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("reading pictures", total=None)

    def __enter__(self) -> ShownRun:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bar down."""
        self._bar.stop()

    def reading(self, done: int, of: int) -> None:
        """`done` of `of` pictures are in memory."""
        self._bar.update(self._task, total=of, completed=done)
        if done == of and not self._console.is_terminal:
            self._line(f"{of} pictures in memory")

    def step(self, epoch: int, done: int, of: int, loss: float) -> None:
        """`done` of `of` batches of the epoch are trained."""
        self._bar.update(self._task, description=f"epoch {epoch}  loss {loss:.3f}", total=of, completed=done)
        if not self._console.is_terminal and done % max(1, of // LINES_AN_EPOCH) == 0:
            self._line(f"epoch {epoch}: {done} of {of} batches, loss {loss:.4f}")

    def epoch_over(self, record: dict[str, float]) -> None:
        """An epoch is over and saved."""
        found = "  ".join(
            f"{key.removeprefix('ap50/')} {value:.3f}"
            for key, value in record.items()
            if key.startswith("ap50/")
        )
        self._line(f"epoch {record['epoch']:.0f} over: loss {record['loss']:.4f}  {found}")

    def _line(self, text: str) -> None:
        passed = timedelta(seconds=round((self._clock.now() - self._began).total_seconds()))
        self._console.print(f"[{passed}] {text}", markup=False, highlight=False, soft_wrap=True)
