"""The cluster's file: groups as given or dealt, each a good edge, nothing of it a secret that shows."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from kitchen_watch.cluster.configuration import ClusterFile
from kitchen_watch.cluster.hosting import GroupSource
from kitchen_watch.control import ConfigurationOffer
from kitchen_watch.errors import ConfigError
from kitchen_watch.signing import new_secret

SECRET = new_secret()


def camera(number: int) -> dict[str, Any]:
    return {"camera_id": f"cam-{number}", "main": {"url": f"rtsp://me:canary@192.0.2.{number}/s"}}


GROUPS: dict[str, Any] = {
    "database": "postgresql://kw:canary@192.0.2.1/kw",
    "data_dir": "var/c",
    "edge": {"backend": {"url": "http://192.0.2.1:8000"}, "rules": {"NO_HAT": {"held_s": 3}}},
    "groups": [
        {"edge_id": "edge-1", "secret": SECRET, "cameras": [camera(1), camera(2)]},
        {"edge_id": "edge-2", "secret": SECRET, "cameras": [camera(3)]},
    ],
}
DEALT: dict[str, Any] = {
    **{key: value for key, value in GROUPS.items() if key != "groups"},
    "cameras": [camera(number) for number in range(1, 6)],
    "deal": {
        "cameras_per_group": 2,
        "edges": [{"edge_id": f"edge-{number}", "secret": SECRET} for number in range(1, 5)],
    },
}


def read(directory: Path, values: dict[str, Any]) -> ClusterFile:
    path = directory / "cluster.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return ClusterFile(path)


def test_each_group_is_an_edge_with_what_all_have_in_common(tmp_path: Path) -> None:
    file = read(tmp_path, GROUPS)
    assert [(group.edge_id, group.camera_ids) for group in file.groups] == [
        ("edge-1", ("cam-1", "cam-2")), ("edge-2", ("cam-3",)),
    ]  # fmt: skip
    edge = file.group("edge-2").settings
    assert edge.edge_id == "edge-2"
    assert edge.rules == {"NO_HAT": {"held_s": 3}}
    assert edge.backend.secret.get_secret_value() == SECRET
    assert edge.data_dir == Path("var/c/groups/edge-2")


def test_cameras_are_dealt_in_order_and_edges_left_over_idle(tmp_path: Path) -> None:
    file = read(tmp_path, DEALT)
    assert [group.camera_ids for group in file.groups] == [("cam-1", "cam-2"), ("cam-3", "cam-4"), ("cam-5",)]
    more = deepcopy(DEALT)
    more["cameras"].append(camera(6))
    assert [group.camera_ids for group in read(tmp_path, more).groups] == [
        ("cam-1", "cam-2"), ("cam-3", "cam-4"), ("cam-5", "cam-6"),
    ], "a camera more moves none of the others"  # fmt: skip


def test_secrets_do_not_show(tmp_path: Path) -> None:
    file = read(tmp_path, GROUPS)
    shown = repr(file.settings) + repr(file.groups) + repr(file.group("edge-1"))
    assert "canary" not in shown
    assert SECRET not in shown


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"grups": []}, "not a known key"),
        ({"groups": []}, "there is no camera"),
        ({"edge": {"edge_id": "x", "backend": {"url": "http://b"}}}, "edge_id is decided by the cluster"),
        (
            {"edge": {"backend": {"url": "http://b", "secret": SECRET}}},
            "backend.secret belongs to each group",
        ),
        ({"edge": {"backend": 8000}}, "edge: backend has keys of its own"),
        ({"edge": {"backend": "http://b"}}, "edge: backend has keys of its own"),
        ({"edge": {"backend": {"url": "http://b"}, "ruls": {}}}, "group edge-1: ruls"),
        ({"cameras": [camera(9)]}, "cameras and deal go together"),
        ({"groups": [*GROUPS["groups"], GROUPS["groups"][0]]}, "edge_id edge-1 is given twice"),
        ({"lease": {"seconds": 0.1}}, "lease.seconds"),
        ({"database": "host=192.0.2.1 password=canary"}, "is no PostgreSQL address"),
        ({"database": "postgresql://kw:my canary@192.0.2.1/kw"}, "has a blank in it"),
        ({"database": "postgresql://kw:my/canary@192.0.2.1/kw"}, "has a / before its @"),
    ],
)
def test_a_bad_file_is_refused_with_its_place(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, {**GROUPS, **change})
    assert says in str(refused.value)
    assert "canary" not in str(refused.value)


def test_too_many_cameras_for_the_edges_are_refused(tmp_path: Path) -> None:
    values = deepcopy(DEALT)
    values["deal"]["edges"] = values["deal"]["edges"][:2]
    with pytest.raises(ConfigError, match="5 cameras do not fit into 2 edges of 2"):
        read(tmp_path, values)


def test_an_unknown_group_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no group edge-9"):
        read(tmp_path, GROUPS).group("edge-9")


def test_a_running_cluster_may_go_over_to_other_groups_but_not_to_another_database(tmp_path: Path) -> None:
    old = read(tmp_path, GROUPS)
    fewer = read(tmp_path, {**GROUPS, "groups": GROUPS["groups"][:1]})
    fewer.check_may_follow(old)
    elsewhere = read(tmp_path, {**GROUPS, "database": "postgresql://192.0.2.7/kw"})
    with pytest.raises(ConfigError, match=r"database cannot be changed while the cluster runs"):
        elsewhere.check_may_follow(old)


def test_two_machines_see_whether_their_files_are_the_same(tmp_path: Path) -> None:
    first = read(tmp_path, GROUPS)
    assert first.seal("edge-1") == read(tmp_path, GROUPS).seal("edge-1")
    assert SECRET not in first.seal("edge-1")
    other = deepcopy(GROUPS)
    other["groups"][1]["cameras"][0]["main"]["url"] = "rtsp://192.0.2.99/s"
    assert first.seal("edge-1") != read(tmp_path, other).seal("edge-1")


def test_a_file_that_was_only_checked_comes_into_force_by_no_offer(tmp_path: Path) -> None:
    source = GroupSource(read(tmp_path, GROUPS), "edge-1")
    source.load()
    stricter = deepcopy(GROUPS)
    stricter["edge"]["rules"] = {"NO_HAT": {"held_s": 9}}
    read(tmp_path, stricter)
    offer = ConfigurationOffer(offer_id=uuid4(), version="v2", cameras={})

    with source.reading_anew(only_check=True):
        assert source.load().settings.rules == {"NO_HAT": {"held_s": 9}}
    assert source.with_offer(offer).settings.rules == {"NO_HAT": {"held_s": 3}}, "another host refused it"
    with suppress(ConfigError), source.reading_anew(only_check=False):
        source.load()
        raise ConfigError("the edge refuses it")
    assert source.with_offer(offer).settings.rules == {"NO_HAT": {"held_s": 3}}
    with source.reading_anew(only_check=False):
        source.load()
    assert source.with_offer(offer).settings.rules == {"NO_HAT": {"held_s": 9}}
