"""Run the application on a socket until told to stop."""

from __future__ import annotations

import errno
import socket

import uvicorn
from fastapi import FastAPI

from kitchen_watch.backend.settings import BackendSettings
from kitchen_watch.errors import ConfigError

BACKLOG = 2048
GRACE_S = 5


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one.

    Raises:
        ConfigError: the port is in use, may not be taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            reason = (
                f"port {port} on {host} is in use. Stop the other program, or choose another with --port."
            )
        elif error.errno == errno.EACCES:
            reason = f"port {port} may not be used by this user. Choose one above 1023 with --port."
        else:
            reason = f"{host}:{port} cannot be listened on: {error.strerror}. Correct host or port."
        raise ConfigError(f"backend: {reason}") from None
    return listener


def server_for(app: FastAPI, settings: BackendSettings) -> uvicorn.Server:
    """A uvicorn server for the application; logs go through this program's own set-up."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="on",
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=list(settings.trusted_proxies) or None,
            timeout_graceful_shutdown=GRACE_S,
            ws_max_size=4 * 1024 * 1024,
        )
    )


def address_of(listener: socket.socket) -> str:
    """The URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
