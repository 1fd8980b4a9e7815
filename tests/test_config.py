"""A bad configuration refuses to start and says what, where and what to do."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import SecretStr

from kitchen_watch.config import Settings, load_settings
from kitchen_watch.errors import ConfigError


class Camera(Settings):
    camera_id: str
    rate: float = 5.0


class Edge(Settings):
    edge_id: str
    secret: SecretStr = SecretStr("")
    cameras: tuple[Camera, ...] = ()


def _write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "edge.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_file_becomes_typed_settings(tmp_path: Path) -> None:
    path = _write(tmp_path, "edge_id: e1\ncameras:\n  - camera_id: c1\n    rate: 2.5\n")
    edge = load_settings(path, Edge)
    assert edge.cameras[0].rate == 2.5


def test_an_unknown_key_is_named_with_its_line(tmp_path: Path) -> None:
    path = _write(tmp_path, "edge_id: e1\ncameras:\n  - camera_id: c1\n    ratte: 2\n")
    with pytest.raises(ConfigError, match=r"line 4: cameras\.0\.ratte: is not a known key"):
        load_settings(path, Edge)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="edge_id: is required and missing"):
        load_settings(_write(tmp_path, "cameras: []\n"), Edge)


def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="line 2: edge_id: is given twice"):
        load_settings(_write(tmp_path, "edge_id: e1\nedge_id: e2\n"), Edge)


@pytest.mark.parametrize("text", ["edge_id: [unclosed", "- a list\n", "edge_id: &x\n  <<: *nobody\n"])
def test_what_is_not_a_yaml_mapping_is_refused_with_the_file_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"edge\.yaml"):
        load_settings(_write(tmp_path, text), Edge)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("edge_id: 2026-13-45\n", "month must be in"),
        ("edge_id: &me [*me]\n", "contains itself"),
        ("edge_id: " + "[" * 1200 + "\n", "nested too deeply"),
        (
            "a: &a [x, x, x, x, x, x, x, x]\n"
            + "".join(
                f"{new}: &{new} [{', '.join([f'*{old}'] * 8)}]\n" for old, new in pairwise("abcdefghij")
            ),
            "has more than",
        ),
    ],
    ids=["a day that does not exist", "itself", "deep", "aliases of aliases"],
)
def test_what_yaml_allows_and_no_file_needs_is_refused_like_any_mistake(
    tmp_path: Path, text: str, says: str
) -> None:
    with pytest.raises(ConfigError, match=rf"edge\.yaml: .*{says}"):
        load_settings(_write(tmp_path, text), Edge)


def test_a_missing_file_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        load_settings(tmp_path / "nowhere.yaml", Edge)


def test_secrets_come_from_the_environment_and_stay_out_of_repr(tmp_path: Path) -> None:
    path = _write(tmp_path, "edge_id: e1\nsecret: ${KW_SECRET}\n")
    edge = load_settings(path, Edge, environment={"KW_SECRET": "whsec_canary"})
    assert edge.secret.get_secret_value() == "whsec_canary"
    assert "canary" not in repr(edge)


def test_an_environment_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    path = _write(tmp_path, "edge_id: ${KW_NOBODY}\n")
    with pytest.raises(ConfigError, match="KW_NOBODY is not set"):
        load_settings(path, Edge, environment={})
    default = _write(tmp_path, "edge_id: ${KW_NOBODY:-e9}\n")
    assert load_settings(default, Edge, environment={}).edge_id == "e9"


def test_a_bad_value_is_not_echoed(tmp_path: Path) -> None:
    path = _write(tmp_path, "edge_id: e1\nsecret: [hunter2]\n")
    with pytest.raises(ConfigError) as caught:
        load_settings(path, Edge)
    assert "hunter2" not in str(caught.value)
