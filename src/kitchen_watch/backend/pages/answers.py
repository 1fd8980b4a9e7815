"""HTML answers: the frame of a page from its request, and the headers every page carries."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from kitchen_watch.backend.auth.callers import MaybePerson
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.pages import languages
from kitchen_watch.backend.pages.rendering import THEMES, Frame, render
from kitchen_watch.backend.parts import parts_of

THEME_COOKIE = "kw_theme"
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' blob:",  # pictures and media that scripts assemble
            "media-src 'self' blob:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    ),
}


def frame_for(request: Request, person: Person | None) -> Frame:
    """Language, appearance and time of one page."""
    theme = request.cookies.get(THEME_COOKIE)
    query = f"?{request.url.query}" if request.url.query else ""
    return Frame(
        language=languages.choose(person.locale if person else None, request.cookies.get(languages.COOKIE)),
        theme=theme if theme in THEMES else "auto",
        person=person,
        now=parts_of(request).clock.now(),
        address=request.url.path + query,
        zone=parts_of(request).settings.zone,
    )


def frame_of(request: Request, person: MaybePerson) -> Frame:
    """The frame, for a route's signature; the person may be nobody."""
    return frame_for(request, person)


FrameOf = Annotated[Frame, Depends(frame_of)]


def page(template: str, frame: Frame, *, status: int = 200, **content: Any) -> HTMLResponse:
    """A whole page, or a part of one that a script asked for."""
    return HTMLResponse(render(template, frame, content), status_code=status, headers=HEADERS)


def go_to(address: str) -> Response:
    """Send the browser to another of our own pages, which it gets with GET."""
    return RedirectResponse(address, status_code=303, headers={"cache-control": "no-store"})


def own_address(address: str) -> str:
    """``address`` if it is a path on this very site, otherwise the start page.

    A link that somebody sends must not lead through our login page to a foreign one.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    foreign = parts.scheme or parts.netloc or "\\" in address or not address.isprintable()
    if foreign or not address.startswith("/") or address.startswith("//"):
        return "/"
    return address
