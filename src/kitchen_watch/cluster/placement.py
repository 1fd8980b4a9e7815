"""Which group belongs on which node: pure decisions over measured cost, and few of them.

A load is what the groups of a node cost in cores, over the node's cores; 1.0 is a full machine. A
group without a node gets one at once, also on a machine that is full: frames are then analysed less
often, which is better than never. Everything else moves one group at a time.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

WORTH_IT = 0.02
"""A voluntary move must take so much load off the fuller of the two nodes."""

Reason = Literal["new", "drained", "balance"]


@dataclass(frozen=True, slots=True)
class Node:
    """A machine that may host groups. ``cores`` and ``gpus`` are what it offers."""

    node_id: str
    name: str
    cores: float
    gpus: float = 0.0
    draining: bool = False


@dataclass(frozen=True, slots=True)
class GroupLoad:
    """A group and what it costs: CPU seconds per second, and its share of a GPU."""

    edge_id: str
    cores: float
    gpus: float = 0.0
    moved_at: datetime | None = None
    """When it was last moved although nothing was wrong."""


@dataclass(frozen=True, slots=True)
class Move:
    """One group to start (``source`` is ``None``) or to move."""

    edge_id: str
    source: str | None
    target: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Temper:
    """What keeps groups from wandering for small gains."""

    imbalance: float = 0.25
    pause: timedelta = timedelta(seconds=60)
    rest: timedelta = timedelta(minutes=10)


def homeless(nodes: Iterable[Node], groups: Iterable[GroupLoad], assignment: Mapping[str, str]) -> list[Move]:
    """A node for every group that has none: the dearest first, each where the load ends up lowest.

    ``assignment`` maps edge ids to node ids; a node that is gone counts as none. Empty where no node
    can take groups.
    """
    board = _Board(nodes, groups, assignment)
    waiting = [group for group in board.groups.values() if group.edge_id not in board.at]
    moves = []
    for group in sorted(waiting, key=lambda one: (-one.cores, one.edge_id)):
        target = board.best_for(group)
        if target is not None:
            board.put(group, target)
            moves.append(Move(group.edge_id, None, target.node_id, "new"))
    return moves


def next_move(
    nodes: Iterable[Node],
    groups: Iterable[GroupLoad],
    assignment: Mapping[str, str],
    *,
    now: datetime,
    movable: Container[str],
    last_balanced: datetime | None = None,
    temper: Temper | None = None,
) -> Move | None:
    """The one move that is due now: off a draining node, or else towards balance.

    ``movable`` are the groups that may be moved; the others count where they are.
    """
    board = _Board(nodes, groups, assignment, movable)
    return _off_a_draining_node(board) or _towards_balance(board, now, last_balanced, temper or Temper())


def _off_a_draining_node(board: _Board) -> Move | None:
    leaving = [
        (board.groups[edge_id], node_id)
        for edge_id, node_id in board.at.items()
        if board.nodes[node_id].draining and edge_id in board.movable
    ]
    for group, source in sorted(leaving, key=lambda one: (-one[0].cores, one[0].edge_id)):
        target = board.best_for(group)
        if target is not None:
            return Move(group.edge_id, source, target.node_id, "drained")
    return None


def _towards_balance(
    board: _Board, now: datetime, last_balanced: datetime | None, temper: Temper
) -> Move | None:
    """From the fullest node, the move after which the fuller of both nodes is emptiest."""
    open_nodes = [node for node in board.nodes.values() if not node.draining]
    if len(open_nodes) < 2 or (last_balanced is not None and now - last_balanced < temper.pause):
        return None
    fullest = max(open_nodes, key=lambda node: (board.load(node), node.name))
    before = board.load(fullest)
    best: tuple[float, str, str] | None = None
    for group in board.on(fullest):
        rests = group.moved_at is not None and now - group.moved_at < temper.rest
        if rests or group.edge_id not in board.movable:
            continue
        for target in open_nodes:
            if target is fullest or before - board.load(target) < temper.imbalance:
                continue
            if not board.has_gpu_for(group, target):
                continue
            after = max(before - group.cores / fullest.cores, board.load(target, group))
            best = min(best or (float("inf"), "", ""), (after, group.edge_id, target.node_id))
    if best is None or best[0] > before - WORTH_IT:
        return None
    return Move(best[1], fullest.node_id, best[2], "balance")


class _Board:
    """Nodes, groups and who is where, with the sums that decisions need."""

    def __init__(
        self,
        nodes: Iterable[Node],
        groups: Iterable[GroupLoad],
        assignment: Mapping[str, str],
        movable: Container[str] = (),
    ) -> None:
        self.movable = movable
        self.nodes = {node.node_id: node for node in nodes if node.cores > 0}
        self.groups = {group.edge_id: group for group in groups}
        self.at = {
            edge_id: node_id
            for edge_id, node_id in assignment.items()
            if node_id in self.nodes and edge_id in self.groups
        }

    def on(self, node: Node) -> Sequence[GroupLoad]:
        return [self.groups[edge_id] for edge_id, node_id in self.at.items() if node_id == node.node_id]

    def load(self, node: Node, more: GroupLoad | None = None) -> float:
        """The node's load, with one group more where it is given."""
        cores = sum(group.cores for group in self.on(node)) + (more.cores if more is not None else 0.0)
        return cores / node.cores

    def has_gpu_for(self, group: GroupLoad, node: Node) -> bool:
        return group.gpus <= node.gpus - sum(one.gpus for one in self.on(node))

    def best_for(self, group: GroupLoad) -> Node | None:
        fit = [node for node in self.nodes.values() if not node.draining and self.has_gpu_for(group, node)]
        return min(fit, key=lambda node: (self.load(node, group), node.name, node.node_id), default=None)

    def put(self, group: GroupLoad, node: Node) -> None:
        self.at[group.edge_id] = node.node_id
