"""Draws how a training run goes: loss, learning rate and AP50 of every class over the epochs,
as one PNG.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure  # the backend is chosen first


def draw(history: Sequence[dict[str, float]], target: Path) -> None:
    """Write the learning curves of `history` (one record an epoch) to `target`."""
    figure = Figure(figsize=(11, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = [record["epoch"] for record in history]
    left.plot(epochs, [record["loss"] for record in history], color="tab:blue")
    left.set(xlabel="epoch", ylabel="training loss", title="loss and learning rate")
    rate = left.twinx()
    rate.plot(epochs, [record["learning_rate"] for record in history], color="0.7", ls="--")
    rate.set_ylabel("learning rate")
    measured = [record for record in history if any(key.startswith("ap50/") for key in record)]
    for key in sorted({key for record in measured for key in record if key.startswith("ap50/")}):
        points = [(record["epoch"], record[key]) for record in measured if key in record]
        right.plot(*zip(*points, strict=True), marker="o", ms=3, label=key.removeprefix("ap50/"))
    right.set(xlabel="epoch", ylabel="AP50", ylim=(0, 1), title="running average on val, long side 640")
    if measured:
        right.legend(loc="lower right", fontsize=8, ncols=2)
    for axes in (left, right):
        axes.grid(alpha=0.3)
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=110)
