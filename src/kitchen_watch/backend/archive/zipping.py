"""A ZIP that is written while it is sent: no more than a block of it is ever in memory."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, cast

BLOCK = 1024 * 1024
LARGE = 2**31 - 1
"""From here on an entry needs the long form of sizes."""
SUMS = "SHA256SUMS"


class _Sink:
    """What is written and not yet taken; it cannot be sought, so sizes follow their data."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._blocks.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def take(self) -> Iterator[bytes]:
        blocks, self._blocks = self._blocks, []
        yield from blocks


class StreamedZip:
    """Entries go in one after the other; :meth:`add` yields the bytes that can be sent already."""

    def __init__(self, at: datetime) -> None:
        self._sink = _Sink()
        self._zip = zipfile.ZipFile(cast("IO[bytes]", self._sink), "w", zipfile.ZIP_DEFLATED)
        self._moment = at.timetuple()[:6]
        self.sums: list[tuple[str, str, int]] = []
        """Path, SHA-256 and size of every entry so far."""

    def add(self, path: str, content: Iterable[bytes], *, size: int, packed: bool = False) -> Iterator[bytes]:
        """One entry. ``packed``: it is compressed already, such as a picture or a clip."""
        info = zipfile.ZipInfo(path, self._moment)
        info.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        digest, written = hashlib.sha256(), 0
        with self._zip.open(info, "w", force_zip64=size > LARGE) as entry:
            for block in content:
                digest.update(block)
                written += len(block)
                entry.write(block)
                yield from self._sink.take()
        yield from self._sink.take()
        self.sums.append((path, digest.hexdigest(), written))

    def close(self) -> Iterator[bytes]:
        """The list of hashes, which ``sha256sum -c`` reads, and the end of the ZIP."""
        text = "".join(f"{digest}  {path}\n" for path, digest, _ in self.sums).encode()
        yield from self.add(SUMS, (text,), size=len(text))
        self._zip.close()
        yield from self._sink.take()


def blocks_of(path: Path) -> Iterator[bytes]:
    """A file, block by block."""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block
