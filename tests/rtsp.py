"""Real RTSP servers on loopback for tests: aio-rtsp-toolkit in a process of its own.

``RtspServer({"kitchen": file})`` serves each file in a loop; ``url("kitchen")`` is its address.
``kill()`` is SIGKILL, ``restart()`` brings the server back on the same port. Run as a program,
this module is that process: ``python rtsp.py DIRECTORY PORT`` prints the port it listens on.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self


class ServerProcess:
    """A server that prints its port as its first line and takes the port as its last argument."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    def start(self) -> None:
        """Start the process and wait until it listens."""
        process = subprocess.Popen(
            [*self._command, str(self.port)],
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        self._process = process
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        if not line.isdecimal():
            process.wait()
            process.stdout.close()
            raise RuntimeError(f"the test server did not start: {line or process.returncode}")
        self.port = int(line)

    def kill(self) -> None:
        """End the process at once, as a power cut would."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()

    def restart(self) -> None:
        """Come back on the same port."""
        self.kill()
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()


class RtspServer(ServerProcess):
    """aio-rtsp-toolkit (pure Python, RTP over TCP) serving files (.mp4, .mkv) in a loop."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="rtsp-"))
        self._names = {path: f"{path}{file.suffix}" for path, file in files.items()}
        for path, file in files.items():
            target = self._directory / self._names[path]
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)  # the server refuses links out of its directory
        super().__init__([sys.executable, __file__, str(self._directory)])

    def url(self, path: str) -> str:
        """The address of a served path, or of one that does not exist (the server answers 404)."""
        return f"rtsp://127.0.0.1:{self.port}/{self._names.get(path, path + '.mp4')}/play_count_0"

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        shutil.rmtree(self._directory, ignore_errors=True)


def _serve(directory: str, port: int) -> None:
    import asyncio
    import logging

    from aio_rtsp_toolkit import server as toolkit

    toolkit.logger = logging.getLogger("rtsp")

    async def run() -> None:
        server = await toolkit.RtspServer(directory, "127.0.0.1", port).start()
        sys.stdout.write(f"{server._server.sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()
        parent = os.getppid()
        while os.getppid() == parent:  # a killed test must not leave its server behind
            await asyncio.sleep(0.5)

    asyncio.run(run())


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]))
