"""Films are read packet by packet, from any second on."""

from __future__ import annotations

from pathlib import Path

import pytest

from kitchen_watch.demo.film import FilmReader
from kitchen_watch.errors import ConfigError
from tests.demo.films import write_film


def test_all_packets_come_in_order_and_then_none(tmp_path: Path) -> None:
    reader = FilmReader(write_film(tmp_path / "film.mp4"))

    packets = reader.read(12) + reader.read(12)

    assert [round(packet.second, 2) for packet in packets] == [round(index / 10, 2) for index in range(20)]
    assert [index for index, packet in enumerate(packets) if packet.keyframe] == [0, 5, 10, 15]
    assert all(packet.lasting_s == pytest.approx(0.1) for packet in packets)
    assert reader.read(12) == []
    reader.close()
    assert reader.read(1) == []


def test_reading_from_the_middle_begins_at_the_keyframe_before(tmp_path: Path) -> None:
    reader = FilmReader(write_film(tmp_path / "film.mp4"), start_s=1.2)

    (first,) = reader.read(1)

    assert first.keyframe
    assert first.second == pytest.approx(1.0)
    reader.close()


@pytest.mark.parametrize("content", [b"", b"this is a letter, not a film" * 100])
def test_a_file_that_is_no_film_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "letter.mp4"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match=r"letter.mp4: is no video file"):
        FilmReader(path)
