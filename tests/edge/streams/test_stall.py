"""When a connected camera counts as stalled."""

from __future__ import annotations

import pytest

from kitchen_watch.edge.streams.stall import Progress, stall_reason


@pytest.mark.parametrize(
    ("progress", "now", "part"),
    [
        (Progress(started=0), 9.0, None),
        (Progress(started=0), 13.0, "does not finish opening"),
        (Progress(started=0, opened=1), 5.0, None),
        (Progress(started=0, opened=1), 12.0, "has sent nothing for 11 s"),
        (Progress(started=0, opened=1, packet=50, advanced=50, picture=50), 59.0, None),
        (Progress(started=0, opened=1, packet=50, advanced=50, picture=50), 61.0, "has sent nothing"),
        (Progress(started=0, opened=1, packet=70, advanced=50, picture=70), 70.5, "stood still for 20 s"),
        (Progress(started=0, opened=1, packet=70, advanced=70, picture=50), 70.0, None),
        (Progress(started=0, opened=1, packet=70, advanced=70, picture=30), 70.0, "cannot be decoded"),
    ],
)
def test_stalls(progress: Progress, now: float, part: str | None) -> None:
    reason = stall_reason(progress, now, open_timeout=5, read_timeout=10)
    assert (reason is None) if part is None else (part in (reason or ""))


def test_a_stream_that_is_not_decoded_needs_no_pictures() -> None:
    progress = Progress(started=0, opened=1, packet=70, advanced=70)
    assert stall_reason(progress, 70, open_timeout=5, read_timeout=10, decode=False) is None
