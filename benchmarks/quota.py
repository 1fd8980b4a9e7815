"""A processor quota for a group of processes: a control group of version 1 or 2, made and removed by root."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from pathlib import Path
from types import TracebackType
from typing import Self

V1 = Path("/sys/fs/cgroup/cpu")
V2 = Path("/sys/fs/cgroup")
PERIOD_US = 100_000
GONE_S = 10.0


class CpuQuota:
    """``with CpuQuota(0.5) as quota: quota.add(pid)``: these processes, and all that they start from then
    on, get half a core together.

    Raises:
        OSError: no control group can be made here.
    """

    def __init__(self, cores: float) -> None:
        self._cores = cores
        self._group: Path | None = None

    def __enter__(self) -> Self:
        name = f"kw-{secrets.token_hex(4)}"
        quota = round(self._cores * PERIOD_US)
        if (V1 / "cpu.cfs_quota_us").exists():
            self._group = V1 / name
            self._group.mkdir()
            (self._group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (self._group / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            _let_groups_have_cpu(V2 / "cgroup.subtree_control")
            self._group = V2 / name
            self._group.mkdir()
            (self._group / "cpu.max").write_text(f"{quota} {PERIOD_US}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._group is not None
        end = time.monotonic() + GONE_S
        while True:  # it goes once its last process has gone
            try:
                self._group.rmdir()
            except OSError:
                if time.monotonic() > end:
                    for pid in self._members():
                        with contextlib.suppress(OSError):
                            (self._group.parent / "cgroup.procs").write_text(pid)
                    with contextlib.suppress(OSError):
                        self._group.rmdir()
                    return
                time.sleep(0.1)
            else:
                return

    def add(self, pid: int) -> None:
        """Put a process under the quota."""
        assert self._group is not None
        (self._group / "cgroup.procs").write_text(str(pid))

    def _members(self) -> list[str]:
        assert self._group is not None
        return (self._group / "cgroup.procs").read_text().split()


def why_not() -> str | None:
    """Why no quota can be set here; ``None`` if one can."""
    try:
        with CpuQuota(0.5):
            return None
    except OSError as error:
        return f"no CPU quota can be set here ({error}); it takes root and a writable control group"


def _let_groups_have_cpu(control: Path) -> None:
    if "cpu" not in control.read_text().split():
        fd = os.open(control, os.O_WRONLY)
        try:
            os.write(fd, b"+cpu")
        finally:
            os.close(fd)
