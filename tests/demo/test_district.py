"""The sample district is whole: nothing in it hangs in the air."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kitchen_watch.backend.organisations.seed import DistrictSpec, NodeSpec, PremisesSpec
from kitchen_watch.backend.organisations.tables import NodeKind
from kitchen_watch.config import validate
from kitchen_watch.demo.district import EDGE_ID, HOME, camera_names, district, logins
from kitchen_watch.demo.sample_cameras import SAMPLE_CAMERAS
from kitchen_watch.signing import new_secret


@pytest.fixture(scope="module")
def specification() -> DistrictSpec:
    return validate(district(secret=new_secret()), DistrictSpec, where="the sample district")


def nodes_of(nodes: tuple[NodeSpec, ...]) -> Iterator[NodeSpec]:
    for node in nodes:
        yield node
        yield from nodes_of(node.children)


def premises_of(specification: DistrictSpec) -> list[PremisesSpec]:
    return [premises for node in nodes_of(specification.nodes) for premises in node.premises]


def test_it_has_the_depth_and_width_that_was_promised(specification: DistrictSpec) -> None:
    kinds = [node.kind for node in nodes_of(specification.nodes)]

    assert kinds.count(NodeKind.CITY) == 1
    assert kinds.count(NodeKind.DISTRICT) == 2
    assert kinds.count(NodeKind.STATION) >= 3
    assert len(premises_of(specification)) >= 6
    assert all(node.name and node.name_en for node in nodes_of(specification.nodes))


def test_premises_lie_in_grids_only_and_every_grid_has_a_named_person(specification: DistrictSpec) -> None:
    nodes = list(nodes_of(specification.nodes))
    officers = {person.node for person in specification.people if person.role.value == "grid_officer"}

    assert all(node.kind is NodeKind.GRID for node in nodes if node.premises)
    assert all(not node.children for node in nodes if node.kind is NodeKind.GRID)
    assert {node.code for node in nodes if node.kind is NodeKind.GRID} <= officers


def test_every_premises_has_a_responsible_official_and_person(specification: DistrictSpec) -> None:
    entrusted = [number for person in specification.people for number in person.official_for]

    assert sorted(entrusted) == sorted(premises.licence_no for premises in premises_of(specification))
    assert all(premises.responsible_person for premises in premises_of(specification))


def test_two_restaurants_share_the_sample_cameras(specification: DistrictSpec) -> None:
    with_cameras = {
        premises.licence_no: [camera.camera_id for camera in premises.cameras]
        for premises in premises_of(specification)
        if premises.cameras
    }

    assert len(with_cameras) == 2
    shared = [camera_id for camera_ids in with_cameras.values() for camera_id in camera_ids]
    assert sorted(shared) == sorted(camera.camera_id for camera in SAMPLE_CAMERAS)


def test_nobody_and_nothing_names_what_is_nowhere(specification: DistrictSpec) -> None:
    codes = {node.code for node in nodes_of(specification.nodes)}
    licences = {premises.licence_no for premises in premises_of(specification)}
    groups = {group.code for group in specification.groups}

    assert {person.node for person in specification.people if person.node} <= codes
    assert {person.premises for person in specification.people if person.premises} <= licences
    assert {person.group for person in specification.people if person.group} <= groups
    assert {code for group in specification.groups for code in group.nodes} <= codes
    assert {edge.edge_id for edge in specification.edges} == {EDGE_ID}


def test_nobody_has_a_password_in_the_file(specification: DistrictSpec) -> None:
    assert all(person.password is None and person.must_change_password for person in specification.people)


def test_the_logins_cover_both_sides(specification: DistrictSpec) -> None:
    roles = {login.role for login in logins(district(secret=new_secret()))}

    assert roles == {
        "admin", "supervisor", "grid_officer", "responsible_official", "premises_manager", "premises_staff",
    }  # fmt: skip
    assert specification.people


def test_a_users_own_cameras_come_to_the_first_restaurant() -> None:
    values = district(secret=new_secret(), guests={"clip-pass": "传菜口"}, without_samples=True)
    specification = validate(values, DistrictSpec, where="the sample district")

    cameras = {premises.licence_no: premises.cameras for premises in premises_of(specification)}
    assert [camera.camera_id for camera in cameras[HOME]] == ["clip-pass"]
    assert all(not found for licence, found in cameras.items() if licence != HOME)
    assert camera_names(values) == {"clip-pass": "巷口小馆 传菜口"}
