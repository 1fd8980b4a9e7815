"""Evidence files on their way to the backend: chunk by chunk, resumed, pictures before clips.

Between any two chunks the most urgent file is chosen anew, so that a picture of a new alert never
waits for a clip of an old one.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from pathlib import Path

import structlog

from kitchen_watch.clock import Clock
from kitchen_watch.edge.outbox.backend_client import BackendClient
from kitchen_watch.edge.outbox.records import FileState, PendingUpload
from kitchen_watch.edge.outbox.retry import RetryAt, decide
from kitchen_watch.edge.outbox.store import OutboxStore
from kitchen_watch.errors import (
    BackendBusy,
    BackendUnreachable,
    DeliveryError,
    EvidenceError,
    EvidenceMissing,
    EvidenceTampered,
    SignatureRefused,
)

CHUNK = 1024 * 1024

log = structlog.get_logger(__name__)


class _StoreAway(Exception):
    """The object store does not answer: about this file, not about the outbox."""


class Uploads:
    """Takes one step after the other; what it knows of the backend's side it asks again after a start."""

    def __init__(self, store: OutboxStore, client: BackendClient, clock: Clock) -> None:
        self._store = store
        self._client = client
        self._clock = clock
        self._asked: set[int] = set()
        """Uploads whose place at the backend is known."""
        self._sound: set[int] = set()
        """Uploads whose file was compared with its hash."""

    async def step(self) -> bool:
        """Go on with the most urgent file by one request; whether there was anything to do.

        Raises:
            DeliveryError: the backend cannot be talked to at all; the file waits with everything else.
        """
        upload = await self._store.next_upload()
        if upload is None:
            return False
        try:
            await self._go_on(upload)
        except (OSError, EvidenceMissing) as error:
            why = getattr(error, "strerror", None) or error
            await self._lose(upload, FileState.MISSING, f"cannot be read: {why}")
        except EvidenceTampered as error:
            await self._lose(upload, FileState.DAMAGED, str(error))
        except _StoreAway as error:
            await self._postpone(upload, BackendBusy(str(error)))
        except (SignatureRefused, BackendUnreachable):
            self._asked.discard(upload.upload_id)
            raise  # about the backend, not about this file
        except DeliveryError as error:
            self._asked.discard(upload.upload_id)
            await self._postpone(upload, error)
            if isinstance(error, BackendBusy) and error.retry_after is not None:
                raise
        return True

    async def _go_on(self, upload: PendingUpload) -> None:
        if upload.upload_id not in self._sound:
            if not await self._is_sound(upload):
                await self._lose(upload, FileState.DAMAGED, "is not what its manifest says")
                return
            self._sound.add(upload.upload_id)
        if upload.upload_id not in self._asked:
            state = await self._client.upload_state(upload.sha256)
            self._asked.add(upload.upload_id)
            if state.complete:
                await self._finish(upload)
                return
            await self._store.upload_advanced(upload, state.received_bytes)
            offset = state.received_bytes
        else:
            offset = upload.offset
        chunk = await asyncio.to_thread(_read_chunk, upload.path, offset)
        state = await self._client.upload_chunk(upload.sha256, offset=offset, chunk=chunk)
        if state.complete:
            await self._finish(upload)
        elif state.received_bytes == offset + len(chunk) or state.received_bytes not in (0, offset):
            # It grew, or stands elsewhere than we thought: go on from there.
            await self._store.upload_advanced(upload, state.received_bytes)
        else:
            # Thrown away or not taken. Our file is sound, so the next attempt begins anew, later.
            self._sound.discard(upload.upload_id)
            raise BackendBusy(f"{upload.path.name}: the backend did not keep what was sent")

    async def _is_sound(self, upload: PendingUpload) -> bool:
        """Whether the file on this disk is what its manifest says; what is not is replaced from the
        object store, where there is one."""
        try:
            if await asyncio.to_thread(_is_sound, upload.path, upload.sha256):
                return True
        except FileNotFoundError:
            if not await self._bring_back(upload):
                raise
            return True
        return await self._bring_back(upload)

    async def _bring_back(self, upload: PendingUpload) -> bool:
        try:
            return await self._store.bring_back(upload)
        except (EvidenceMissing, EvidenceTampered):
            raise
        except EvidenceError as error:
            raise _StoreAway(str(error)) from error

    async def _finish(self, upload: PendingUpload) -> None:
        await self._store.upload_settled(upload, FileState.DELIVERED)
        self._forget(upload)

    async def _lose(self, upload: PendingUpload, state: FileState, reason: str) -> None:
        log.error("evidence cannot be uploaded", path=str(upload.path), reason=reason)
        await self._store.upload_settled(upload, state, reason)
        self._forget(upload)

    async def _postpone(self, upload: PendingUpload, error: DeliveryError) -> None:
        now = self._clock.now()
        # No refusal of a file is final: its event was taken, so the file is wanted.
        busy = BackendBusy(str(error), retry_after=getattr(error, "retry_after", None))
        decision = decide(busy, attempt=upload.attempts + 1, now=now, jitter=random.random())  # noqa: S311
        retry_at = decision.at if isinstance(decision, RetryAt) else now
        await self._store.upload_postponed(upload, retry_at, str(error))
        log.warning("upload postponed", path=str(upload.path), reason=str(error))

    def _forget(self, upload: PendingUpload) -> None:
        self._asked.discard(upload.upload_id)
        self._sound.discard(upload.upload_id)


def _is_sound(path: Path, sha256: str) -> bool:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def _read_chunk(path: Path, offset: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(CHUNK)
