"""What is true of an outbox in a file alone: whose it is, and which version wrote it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from kitchen_watch.edge.outbox.schema import FILE_NAME
from kitchen_watch.errors import ConfigError
from tests.edge.outbox.situations import EDGE, draft, opened, package, packages, violation


async def test_a_manifest_that_a_crash_kept_from_the_disk_is_written_at_the_next_start(
    tmp_path: Path,
) -> None:
    writer, subject = packages(tmp_path), violation()
    files = package(writer, subject)
    async with opened(tmp_path) as store:
        await store.open_event(draft(subject, package=files))
    manifest = tmp_path / files.folder / "manifest-00000000.json"
    manifest.unlink()
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("UPDATE manifests SET on_disk = 0")
    connection.close()
    async with opened(tmp_path):
        assert manifest.exists()


async def test_two_edges_cannot_share_a_directory(tmp_path: Path) -> None:
    async with opened(tmp_path):
        with pytest.raises(ConfigError, match="another edge is running"):
            async with opened(tmp_path):
                pass


async def test_a_directory_keeps_its_edge(tmp_path: Path) -> None:
    async with opened(tmp_path):
        pass
    with pytest.raises(ConfigError, match=f"belongs to edge {EDGE}, this one is edge-2"):
        async with opened(tmp_path, edge_id="edge-2"):
            pass
    async with opened(tmp_path):  # and the refused attempt left no lock behind
        pass


async def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    async with opened(tmp_path):
        pass
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ConfigError, match="newer kitchen-watch"):
        async with opened(tmp_path):
            pass
