"""The source of the very program that is running, for everybody who uses it (AGPL section 13)."""

from __future__ import annotations

import zipfile
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata
from io import BytesIO
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

import kitchen_watch
from kitchen_watch.backend.pages.answers import FrameOf, page

router = APIRouter(include_in_schema=False)

PROJECT_URL = "https://github.com/kitchen-watch/kitchen_watch"
PACKAGE = Path(kitchen_watch.__file__).resolve().parent
LEFT_OUT = frozenset({"__pycache__", "share"})
"""Compiled files, and the shipped model files, which are data under their own terms."""


@router.get("/source")
def show_source(frame: FrameOf) -> Response:
    """Licence, version and where the source is."""
    return page("source.html", frame, version=version(), size=len(source_archive()), project_url=PROJECT_URL)


@router.get("/source/kitchen_watch.zip")
def download_source() -> Response:
    """The running package as it lies on the server's disk, with any local change."""
    return Response(
        source_archive(),
        media_type="application/zip",
        headers={"content-disposition": 'attachment; filename="kitchen_watch.zip"'},
    )


def version() -> str:
    """Version of the installed package."""
    try:
        return str(metadata("kitchen-watch")["Version"])
    except PackageNotFoundError:
        return "0"


@cache
def source_archive() -> bytes:
    """A ZIP of the package's directory, made once per process."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(PACKAGE.rglob("*")):
            inside = path.relative_to(PACKAGE)
            if path.is_file() and not LEFT_OUT.intersection(inside.parts):
                archive.write(path, Path("kitchen_watch") / inside)
    return buffer.getvalue()
