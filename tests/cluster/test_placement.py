"""Where groups go: tables of nodes and groups, and the moves that follow from them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from kitchen_watch.cluster.placement import GroupLoad, Move, Node, Temper, homeless, next_move

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
A, B, C = Node("a", "a", 2.0), Node("b", "b", 2.0), Node("c", "c", 4.0)
LEAVING = Node("a", "a", 2.0, draining=True)


def loads(**cores: float) -> list[GroupLoad]:
    return [GroupLoad(name, cost) for name, cost in cores.items()]


def placed(nodes: list[Node], groups: list[GroupLoad], at: Mapping[str, str]) -> dict[str, str]:
    return {move.edge_id: move.target for move in homeless(nodes, groups, at)}


@pytest.mark.parametrize(
    ("nodes", "groups", "at", "wanted"),
    [
        pytest.param([A, B], loads(g1=1, g2=1), {}, {"g1": "a", "g2": "b"}, id="spread over empty nodes"),
        pytest.param([A, B], loads(g1=1, g2=1), {"g1": "a"}, {"g2": "b"}, id="the emptier node"),
        pytest.param(
            [A, C],
            loads(g1=1, g2=1, g3=1),
            {},
            {"g1": "c", "g2": "a", "g3": "c"},
            id="by load, not by number",
        ),
        pytest.param(
            [A, B], loads(small=0.2, big=1.5), {}, {"big": "a", "small": "b"}, id="the dearest first"
        ),
        pytest.param([A, B], loads(g1=1), {"g1": "gone"}, {"g1": "a"}, id="its node is lost"),
        pytest.param([LEAVING, B], loads(g1=1), {}, {"g1": "b"}, id="nothing onto a draining node"),
        pytest.param([LEAVING], loads(g1=1), {}, {}, id="no node that may"),
        pytest.param([A], loads(g1=9, g2=9), {}, {"g1": "a", "g2": "a"}, id="full is better than nowhere"),
        pytest.param([Node("x", "x", 0.0)], loads(g1=1), {}, {}, id="a node without cores hosts nobody"),
    ],
)
def test_a_group_without_a_node_gets_the_one_that_stays_emptiest(
    nodes: list[Node], groups: list[GroupLoad], at: dict[str, str], wanted: dict[str, str]
) -> None:
    assert placed(nodes, groups, at) == wanted


def test_a_group_that_needs_a_gpu_goes_where_one_is_free() -> None:
    nodes = [A, Node("g", "g", 1.0, gpus=1.0)]
    needy = [GroupLoad("g1", 0.5, gpus=0.6), GroupLoad("g2", 0.5, gpus=0.6)]
    assert placed(nodes, needy, {}) == {"g1": "g"}, "the second finds no room on the card"


def due(
    nodes: list[Node],
    groups: list[GroupLoad],
    at: dict[str, str],
    *,
    movable: set[str] | None = None,
    last: datetime | None = None,
) -> Move | None:
    return next_move(
        nodes, groups, at, now=NOW, movable=set(at) if movable is None else movable, last_balanced=last,
        temper=Temper(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("groups", "at", "wanted"),
    [
        pytest.param(loads(g1=1, g2=1), {"g1": "a", "g2": "a"}, ("g1", "b"), id="a new, empty node"),
        pytest.param(loads(g1=1, g2=1), {"g1": "a", "g2": "b"}, None, id="even already"),
        pytest.param(loads(g1=2), {"g1": "a"}, None, id="one group alone: moving it only moves the load"),
        pytest.param(
            loads(g1=0.3, g2=0.2, g3=0.3), {"g1": "a", "g2": "a", "g3": "b"}, None, id="too little difference"
        ),
        pytest.param(
            loads(big=1.6, small=0.4, other=1.0), {"big": "a", "small": "a", "other": "b"}, ("small", "b"),
            id="the one that evens out, not the biggest",
        ),
    ],
)  # fmt: skip
def test_a_node_that_is_fuller_than_another_gives_away_what_evens_out(
    groups: list[GroupLoad], at: dict[str, str], wanted: tuple[str, str] | None
) -> None:
    move = due([A, B], groups, at)
    assert (None if move is None else (move.edge_id, move.target)) == wanted
    assert move is None or move.reason == "balance"


def test_balancing_pauses_between_moves_and_leaves_a_moved_group_alone() -> None:
    at = {"g1": "a", "g2": "a"}
    assert due([A, B], loads(g1=1, g2=1), at, last=NOW - timedelta(seconds=59)) is None
    assert due([A, B], loads(g1=1, g2=1), at, last=NOW - timedelta(seconds=60)) is not None
    rested = [GroupLoad("g1", 1, moved_at=NOW - timedelta(minutes=9)), GroupLoad("g2", 1)]
    move = due([A, B], rested, at)
    assert move is not None
    assert move.edge_id == "g2"


def test_balancing_comes_to_rest() -> None:
    """Whatever the costs, moves end: none undoes another for a small gain."""
    nodes, groups = [A, B, C], loads(**{f"g{n}": 0.1 + 0.17 * (n % 5) for n in range(12)})
    at = {group.edge_id: "a" for group in groups}
    moves = 0
    while (move := due(nodes, groups, at)) is not None:
        at[move.edge_id] = move.target
        moves += 1
        assert moves <= len(groups), "groups wander"
    by_node = {node.node_id: sum(g.cores for g in groups if at[g.edge_id] == node.node_id) for node in nodes}
    share = {node.node_id: by_node[node.node_id] / node.cores for node in nodes}
    assert max(share.values()) - min(share.values()) < 0.25, share


def test_a_draining_node_gives_everything_away_whatever_the_balance() -> None:
    at, groups = {"g1": "a", "g2": "a", "g3": "b"}, loads(g1=0.1, g2=0.2, g3=2)
    given = []
    while (move := due([LEAVING, B], groups, at, last=NOW)) is not None:
        assert move.reason == "drained"
        given.append(move.edge_id)
        at[move.edge_id] = move.target
    assert given == ["g2", "g1"]
    assert set(at.values()) == {"b"}


def test_a_drain_without_another_node_moves_nothing() -> None:
    assert due([LEAVING], loads(g1=1), {"g1": "a"}) is None


def test_a_group_that_may_not_move_counts_where_it_is() -> None:
    at, groups = {"g1": "a", "g2": "a"}, loads(g1=1, g2=1)
    assert due([A, B], groups, at, movable=set()) is None
    move = due([A, B], groups, at, movable={"g2"})
    assert move is not None
    assert move.edge_id == "g2"
