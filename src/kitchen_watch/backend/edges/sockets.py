"""WebSockets that may be gone at any moment."""

from __future__ import annotations

import contextlib

from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState


def text_of(message: Message) -> str | None:
    """The text of a message, ``None`` for a binary one: Starlette's ``receive_text`` knows no answer to it.

    Raises:
        WebSocketDisconnect: the other end has gone.
    """
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"], message.get("reason"))
    text: str | None = message.get("text")
    return text


async def close_socket(socket: WebSocket, code: int) -> None:
    """Close a WebSocket that may have gone already; never raises for that."""
    if socket.application_state is WebSocketState.CONNECTED:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # it goes at this very moment
            await socket.close(code)
