"""Requests forged by other sites: a token that only our own pages know, and where a request says it is from.

Forms carry the session's token in the field ``csrf_token``, scripts in the header
``x-csrf-token``. A browser also says the origin; one that is not ours is refused before anything.
"""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection, Request

from kitchen_watch.errors import NotPermitted

FIELD = "csrf_token"
HEADER = "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


def check_origin(connection: HTTPConnection, public_url: str) -> None:
    """Return unless a browser says that the request comes from another site.

    Raises:
        NotPermitted: it does.
    """
    origin = connection.headers.get("origin")
    if origin is None:
        if connection.headers.get("sec-fetch-site") in {"cross-site", "same-site"}:
            raise _foreign()
        return
    ours = {urlsplit(public_url).netloc, connection.headers.get("host", "")}
    try:
        theirs = urlsplit(origin).netloc
    except ValueError:
        raise _foreign() from None
    if theirs not in ours:
        raise _foreign()


async def check_token(request: Request, expected: str) -> None:
    """Return if the header or the form carries the session's token.

    Raises:
        NotPermitted: it does not.
    """
    given: object = request.headers.get(HEADER)
    if given is None and request.headers.get("content-type", "").startswith(_FORM_TYPES):
        given = (await request.form()).get(FIELD)
    if not isinstance(given, str) or not secrets.compare_digest(given.encode(), expected.encode()):
        raise NotPermitted("This page is out of date. Load it again and repeat what you did.")


def _foreign() -> NotPermitted:
    return NotPermitted("The request comes from another website and was not carried out.")
