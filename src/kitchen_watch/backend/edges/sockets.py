"""WebSockets that may be gone at any moment."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.responses import Response
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

TURNS = 4
"""Of the event loop, from the last byte of an answer to the end of its connection, with some to spare."""


def text_of(message: Message) -> str | None:
    """The text of a message, ``None`` for a binary one: Starlette's ``receive_text`` knows no answer to it.

    Raises:
        WebSocketDisconnect: the other end has gone.
    """
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"], message.get("reason"))
    text: str | None = message.get("text")
    return text


async def deny(socket: WebSocket, refusal: Response) -> None:
    """Answer a handshake with an HTTP response instead of a WebSocket.

    The server takes the handshake for done only once it has seen the connection go, which is a few
    turns of the loop later; who returns at once is reported as never having answered.
    """
    await socket.send_denial_response(refusal)
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def close_socket(socket: WebSocket, code: int) -> None:
    """Close a WebSocket that may have gone already; never raises for that."""
    if socket.application_state is WebSocketState.CONNECTED:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # it goes at this very moment
            await socket.close(code)
