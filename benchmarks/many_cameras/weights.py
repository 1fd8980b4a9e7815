"""The shipped weights as an Ultralytics .pt file: ``python -m benchmarks.many_cameras.weights OUT``."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from kitchen_watch.training.dataset import LABELS
from kitchen_watch.training.export import load_weights

CHECKPOINT = Path(__file__).resolve().parents[2] / "models" / "kitchen-yolo26n.ckpt"


def main(out: Path) -> None:
    model = load_weights(CHECKPOINT)
    model.names = dict(enumerate(LABELS))
    model.args = {"imgsz": 640, "task": "detect", "model": "yolo26n.yaml"}
    model.task = "detect"
    torch.save({"model": model, "train_args": model.args, "epoch": -1}, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
