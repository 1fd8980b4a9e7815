"""A camera's intended view outlives the edge's restart, and a spoilt file never stops the edge."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kitchen_watch.edge.references import References

VIEW = np.full((90, 160, 3), 77, np.uint8)


def test_a_view_is_there_again_after_a_restart(tmp_path: Path) -> None:
    References(tmp_path).keep("cam-1", VIEW)
    again = References(tmp_path).load("cam-1")
    assert again is not None
    assert np.array_equal(again, VIEW)
    assert References(tmp_path).load("cam-2") is None


def test_a_spoilt_file_is_as_good_as_none(tmp_path: Path) -> None:
    References(tmp_path).keep("cam-1", VIEW)
    (tmp_path / "references" / "cam-1.png").write_bytes(b"no picture")
    assert References(tmp_path).load("cam-1") is None


def test_a_disk_that_cannot_be_written_costs_the_view_only(tmp_path: Path) -> None:
    (tmp_path / "references").write_text("a file where a folder should be", encoding="utf-8")
    References(tmp_path).keep("cam-1", VIEW)


def test_a_removed_camera_leaves_no_view(tmp_path: Path) -> None:
    references = References(tmp_path)
    references.keep("cam-1", VIEW)
    references.forget("cam-1")
    assert references.load("cam-1") is None
