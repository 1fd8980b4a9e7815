"""Evidence in an object store: what goes in comes out unchanged, and trouble is told in words."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from kitchen_watch.edge.evidence.remote import RemoteEvidence, open_remote
from kitchen_watch.errors import ConfigError, EvidenceError, EvidenceMissing, EvidenceTampered
from tests.support import require

PATH = "evidence/2026/03/02/some-violation/clean-1.jpg"
PICTURE = b"a picture of a kitchen" * 1000


@pytest.fixture(scope="module")
def s3() -> Iterator[tuple[str, dict[str, SecretStr]]]:
    """A server that speaks S3, and how to reach a bucket on it."""
    require(module="obstore", why="the object store's library; pip install 'kitchen-watch[cluster]'")
    require(module="moto", why="a server that speaks S3; pip install 'kitchen-watch[s3-server]'")
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    options = {
        "endpoint": f"http://{host}:{port}",
        "region": "us-east-1",
        "access_key_id": "somebody",
        "secret_access_key": "a-hidden-word",
    }
    try:
        import httpx

        httpx.put(f"http://{host}:{port}/kitchens", trust_env=False).raise_for_status()
        yield "s3://kitchens/district-7", {name: SecretStr(value) for name, value in options.items()}
    finally:
        server.stop()


@pytest.fixture(params=["file", "s3"])
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> RemoteEvidence:
    require(module="obstore", why="the object store's library; pip install 'kitchen-watch[cluster]'")
    url, options = f"file://{tmp_path / 'shared'}", {}
    if request.param == "s3":
        url, options = request.getfixturevalue("s3")
    return open_remote(url, options, edge_id=f"edge-{tmp_path.name[-8:]}")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "clean-1.jpg"
    path.write_bytes(PICTURE)
    return path


def test_a_file_comes_back_as_it_was(remote: RemoteEvidence, picture: Path, tmp_path: Path) -> None:
    assert not remote.has(PATH)
    remote.put(PATH, picture)
    remote.put(PATH, picture)  # once more does not matter
    assert remote.has(PATH)
    back = tmp_path / "other" / "node" / "clean-1.jpg"
    remote.fetch(PATH, back, sha256=hashlib.sha256(PICTURE).hexdigest())
    assert back.read_bytes() == PICTURE
    assert [stored.path for stored in remote.below("evidence/2026/03/02")] == [PATH]
    remote.remove(PATH)
    remote.remove(PATH)
    assert not remote.has(PATH)
    assert remote.below("evidence") == []


def test_what_is_not_what_the_manifest_says_is_not_brought_back(
    remote: RemoteEvidence, picture: Path, tmp_path: Path
) -> None:
    remote.put(PATH, picture)
    back = tmp_path / "back" / "clean-1.jpg"
    with pytest.raises(EvidenceTampered, match="not what its manifest says"):
        remote.fetch(PATH, back, sha256="0" * 64)
    assert list(back.parent.iterdir()) == []


def test_what_is_not_there_is_missing(remote: RemoteEvidence, tmp_path: Path) -> None:
    with pytest.raises(EvidenceMissing):
        remote.fetch(PATH, tmp_path / "back.jpg", sha256="0" * 64)
    assert not (tmp_path / "back.jpg").exists()


def test_edges_do_not_see_each_others_evidence(tmp_path: Path, picture: Path) -> None:
    require(module="obstore", why="the object store's library; pip install 'kitchen-watch[cluster]'")
    url = f"file://{tmp_path / 'shared'}"
    first, second = (open_remote(url, {}, edge_id=edge_id) for edge_id in ("edge-1", "edge-2"))
    first.put(PATH, picture)
    assert not second.has(PATH)
    assert second.below("evidence") == []


def test_a_store_that_does_not_answer_says_so_soon_and_without_its_secrets(picture: Path) -> None:
    require(module="obstore", why="the object store's library; pip install 'kitchen-watch[cluster]'")
    options = {
        "endpoint": "http://127.0.0.1:9",
        "access_key_id": "somebody",
        "secret_access_key": "a-hidden-word",
    }
    away = open_remote(
        "s3://kitchens", {key: SecretStr(value) for key, value in options.items()}, edge_id="e"
    )
    asks: list[Any] = [
        lambda: away.put(PATH, picture),
        lambda: away.has(PATH),
        lambda: away.below("evidence"),
    ]
    for ask in asks:
        with pytest.raises(EvidenceError, match="evidence cannot be stored or read") as refusal:
            ask()
        assert "a-hidden-word" not in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "options"),
    [("nonsense://somewhere", {}), ("s3://bucket", {"no_such_option": SecretStr("a-hidden-word")})],
)
def test_an_address_that_cannot_be_used_is_refused_in_words(url: str, options: dict[str, SecretStr]) -> None:
    with pytest.raises(ConfigError, match=r"evidence\.store") as refusal:
        open_remote(url, options, edge_id="edge-1")
    assert "a-hidden-word" not in str(refusal.value)
