"""What a result says of where and how it was measured."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    """Processor, memory and system of this machine."""
    return {
        "cpus": os.cpu_count(),
        "processor": _processor(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def commit() -> str:
    """The commit that is checked out, marked where files differ from it."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return said.stdout.strip() or "unknown"


def command(module: str, arguments: Sequence[str]) -> str:
    """How to measure this again; which folders were used is nobody else's business."""
    folders = ("--output", "--data-dir")
    kept = [
        one
        for before, one in pairwise(["", *arguments])
        if before not in folders and one.partition("=")[0] not in folders
    ]
    return " ".join([f"python -m {module}", *kept])


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.split(": ", 1)[1] for line in lines if line.startswith("model name")), platform.machine()
    )
