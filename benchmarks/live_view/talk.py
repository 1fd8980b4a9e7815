"""A child process that is asked things in JSON lines over its standard input and output."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

Answer = Callable[..., Awaitable[Any]]
ROOT = Path(__file__).resolve().parents[2]
LINE = 1 << 20


class Child:
    """One child process; ``ask`` may be called many times at once."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._numbers = itertools.count()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._reader = asyncio.get_running_loop().create_task(self._read())

    @classmethod
    async def start(cls, module: str, *arguments: str, nice: int = 0) -> Child:
        """Run ``python -m module`` with this checkout in its path."""
        command = ["nice", "-n", str(nice), sys.executable, "-m", module, *arguments]
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT, limit=LINE
        )
        return cls(process)

    @property
    def pid(self) -> int:
        """Of the process itself (``nice`` becomes it)."""
        return self._process.pid

    async def ask(self, what: str, *, limit_s: float = 60.0, **details: Any) -> Any:
        """The child's answer.

        Raises:
            RuntimeError: the child failed or has gone.
            TimeoutError: it did not answer in time.
        """
        number = next(self._numbers)
        future = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"number": number, "what": what, **details}).encode() + b"\n")
        await self._process.stdin.drain()
        try:
            return await asyncio.wait_for(future, limit_s)
        finally:
            self._waiting.pop(number, None)

    async def stop(self) -> None:
        """End the process."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reader

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            message = json.loads(line)
            future = self._waiting.get(message["number"])
            if future is None or future.done():
                continue
            if "error" in message:
                future.set_exception(RuntimeError(message["error"]))
            else:
                future.set_result(message["answer"])
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(RuntimeError("the process has gone"))


async def serve(answers: Mapping[str, Answer]) -> None:
    """Answer what is asked until standard input ends, several questions at a time."""
    loop = asyncio.get_running_loop()
    out, sys.stdout = sys.stdout, sys.stderr  # logs do not belong between the answers
    reader = asyncio.StreamReader(limit=LINE)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    running: set[asyncio.Task[None]] = set()
    while line := await reader.readline():
        task = loop.create_task(_answer(answers, json.loads(line), out))
        running.add(task)
        task.add_done_callback(running.discard)


async def _answer(answers: Mapping[str, Answer], question: dict[str, Any], out: TextIO) -> None:
    number, what = question.pop("number"), question.pop("what")
    try:
        message = {"number": number, "answer": await answers[what](**question)}
    except Exception as error:  # noqa: BLE001 - whatever it is, who asked is to read it
        message = {"number": number, "error": f"{what}: {type(error).__name__}: {error}"}
    out.write(json.dumps(message) + "\n")
    out.flush()
