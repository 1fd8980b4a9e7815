"""A photo as the body of a request: how the API describes it, and reading it within its bound."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from kitchen_watch.backend.handling.photos import MAX_BYTES
from kitchen_watch.errors import InvalidRequest

PHOTO_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/jpeg", "image/png", "image/webp")
        },
    }
}
"""``openapi_extra`` of a route that takes one."""


async def read_photo(request: Request) -> bytes:
    """The whole body.

    Raises:
        InvalidRequest: it is larger than a photo may be; no more than that is read.
    """
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_BYTES:
            raise InvalidRequest(
                f"The photo is larger than {MAX_BYTES // 1024 // 1024} MB. Take a smaller one."
            )
    return bytes(content)
