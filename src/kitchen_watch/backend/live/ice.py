"""ICE servers for one view, with credentials that expire (coturn's use-auth-secret scheme).

The scheme is draft-uberti-behave-turn-rest-00: the user name is the time at which it expires and a
name, the password the Base64 of its HMAC-SHA1 under the secret that the service shares with coturn.
"""

from __future__ import annotations

import base64
import hmac
from datetime import datetime

from kitchen_watch.backend.live.settings import LiveSettings
from kitchen_watch.control import IceServer


def ice_servers(settings: LiveSettings, *, viewer: str, now: datetime) -> tuple[IceServer, ...]:
    """The servers that browser and edge may use; ``viewer`` names the view in coturn's log."""
    servers: list[IceServer] = []
    if settings.stun_urls:
        servers.append(IceServer(urls=settings.stun_urls))
    if settings.turn_secret is not None:
        username = f"{int((now + settings.turn_lifetime).timestamp())}:{viewer}"
        digest = hmac.digest(settings.turn_secret.get_secret_value().encode(), username.encode(), "sha1")
        servers.append(
            IceServer(
                urls=settings.turn_urls, username=username, credential=base64.b64encode(digest).decode()
            )
        )
    return tuple(servers)
