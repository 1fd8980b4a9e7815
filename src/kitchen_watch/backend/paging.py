"""Lists that are short in most districts and still have a bound: a page of them, and where the next one is.

Lists that grow with events and premises are read by key from the database, each in its own way
(``next_cursor`` in the answer). These are read whole within the caller's scope and cut here; the next
page's address stands in the header ``Link`` (RFC 8288), so that the answer keeps its form.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeVar

from fastapi import Depends, Query, Request, Response

MAX_PAGE = 1000
T = TypeVar("T")


class Cut:
    """One page of a list."""

    def __init__(
        self,
        request: Request,
        response: Response,
        cursor: Annotated[
            int,
            Query(ge=0, le=2**31 - 1, description='as in the header Link (rel="next") of the page before'),
        ] = 0,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 500,
    ) -> None:
        self._request = request
        self._response = response
        self.first = cursor
        self.limit = limit

    def of(self, items: Sequence[T]) -> list[T]:
        """The items of this page; says in the answer's header where the next one is."""
        return self.of_read(items[self.first : self.first + self.limit + 1])

    def of_read(self, items: Sequence[T]) -> list[T]:
        """The same of items that were read from ``first`` on, one more than ``limit`` where there is one."""
        if len(items) > self.limit:
            following = self._request.url.include_query_params(cursor=self.first + self.limit)
            target = f"{following.path}?{following.query}"
            self._response.headers["link"] = f'<{target}>; rel="next"'
        return list(items[: self.limit])


Paging = Annotated[Cut, Depends()]
