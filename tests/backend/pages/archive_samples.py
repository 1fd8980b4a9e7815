"""Sample content of the page on which an archive is asked for."""

from __future__ import annotations

from kitchen_watch.backend.organisations.schemas import PremisesDetail
from tests.backend.pages.rating_samples import Pages
from tests.backend.pages.samples import AT_HOME, NOW, person, premises


def archive_pages(name: str = "甲饭店") -> Pages:
    """Template, reader and content."""
    place = PremisesDetail(**premises(name).model_dump(), cameras=[])
    content = {"place": place, "since": NOW.date(), "until": NOW.date(), "longest": 366}
    return {
        "archive": ("archive.html", person(name=name), {**content, "may_seal": True}),
        "archive of a restaurant": (
            "archive.html",
            person(AT_HOME, name=name),
            {**content, "may_seal": False},
        ),
    }
