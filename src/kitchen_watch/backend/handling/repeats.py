"""A write that is asked again under the same key is answered as the first time, and done once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pydantic import BaseModel, SecretStr
from sqlalchemy import delete
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.vault import Vault
from kitchen_watch.backend.database import exclusive
from kitchen_watch.backend.handling.tables import IdempotencyRow
from kitchen_watch.errors import Conflict

KEPT_FOR = timedelta(hours=48)
_SEALED = "sealed"

A = TypeVar("A", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked, and the caller's key for it (header ``idempotency-key``), if any."""

    person_id: int
    key: str | None
    target: str
    body: bytes

    @property
    def fingerprint(self) -> str:
        """Hash of what was asked."""
        return hashlib.sha256(self.target.encode() + b"\0" + self.body).hexdigest()


def once(
    session: Session,
    request: Request,
    kind: type[A],
    act: Callable[[], A],
    *,
    now: datetime,
    vault: Vault | None = None,
) -> A:
    """The answer of ``act``, or the one it gave when the same was asked under this key before.

    Only what succeeded is kept, for two days, in the transaction of the act; with a ``vault``, sealed.

    Raises:
        Conflict: the key was used for another request.
    """
    if request.key is None:
        return act()
    exclusive(session, f"idempotency/{request.person_id}")
    known = session.get(IdempotencyRow, (request.person_id, request.key))
    if known is not None and known.at > now - KEPT_FOR:
        if known.request_hash != request.fingerprint:
            raise Conflict("This idempotency key was used for another request. Take a new one.")
        return kind.model_validate(_opened(known.answer, vault))
    session.execute(
        delete(IdempotencyRow).where(
            IdempotencyRow.person_id == request.person_id, IdempotencyRow.at <= now - KEPT_FOR
        )
    )
    answer = act()
    session.add(
        IdempotencyRow(
            person_id=request.person_id,
            key=request.key,
            request_hash=request.fingerprint,
            answer=_kept(answer, vault),
            at=now,
        )
    )
    session.flush()
    return answer


def _kept(answer: BaseModel, vault: Vault | None) -> dict[str, Any]:
    if vault is None:
        return answer.model_dump(mode="json")
    return {_SEALED: vault.seal(SecretStr(answer.model_dump_json()))}


def _opened(kept: dict[str, Any], vault: Vault | None) -> Any:
    return json.loads(vault.open(kept[_SEALED]).get_secret_value()) if vault is not None else kept
