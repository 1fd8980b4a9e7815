"""Debian's GStreamer RTSP server as a second, independent camera; run by the system's Python.

``python3 gst_server.py [USER PASSWORD] PORT`` serves a moving test picture as /h264 and /h265,
live, over TCP and UDP; with USER and PASSWORD it asks for them (digest). Prints its port.
"""

import os
import sys
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

SOURCE = (
    "videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=320,height=240,framerate=15/1 ! "
)
H264 = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! rtph264pay name=pay0 pt=96"
H265 = "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! rtph265pay name=pay0 pt=96"


def main() -> None:
    *account, port = sys.argv[1:]
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    for path, encoder in (("/h264", H264), ("/h265", H265)):
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(f"( {SOURCE} {encoder} )")
        factory.set_shared(True)
        if account:
            allow(factory)
        server.get_mount_points().add_factory(path, factory)
    if account:
        server.set_auth(digest(*account))
    server.attach(None)
    sys.stdout.write(f"{server.get_bound_port()}\n")
    sys.stdout.flush()
    loop = GLib.MainLoop()
    parent = os.getppid()

    def orphaned() -> bool:
        if os.getppid() != parent:
            loop.quit()
        return True

    GLib.timeout_add(500, orphaned)
    loop.run()


def allow(factory: Any) -> None:
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("viewer", "media.factory.access", True)
    permissions.add_permission_for_role("viewer", "media.factory.construct", True)
    factory.set_permissions(permissions)


def digest(user: str, password: str) -> Any:
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_digest(user, password, token)
    return auth


if __name__ == "__main__":
    main()
