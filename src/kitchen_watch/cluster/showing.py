"""The cluster's status as a table for people and as JSON for programs."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from enum import Enum
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from kitchen_watch.cluster.report import ClusterStatus, GroupStatus, MoveReport

LATEST_MOVES = 5


def as_json(value: Any) -> Any:
    """Plain JSON values."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: as_json(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


def as_tables(status: ClusterStatus) -> RenderableType:
    """Nodes, groups, the latest moves, and what is wrong."""
    parts: list[RenderableType] = [_nodes(status), _groups(status)]
    if status.moves:
        parts.append(_moves(status.moves[-LATEST_MOVES:]))
    troubles = [*status.troubles]
    troubles += [f"{group.edge_id}: {trouble}" for group in status.groups for trouble in group.troubles]
    parts += [Text(trouble, style="bold red") for trouble in troubles]
    if status.moving is not None:
        parts.append(Text(f"{status.moving} is being moved."))
    if not troubles:
        parts.append(Text("Every group is served.", style="green"))
    return Group(*parts)


def _nodes(status: ClusterStatus) -> Table:
    table = Table("Node", "Cores", "Load", "Groups", "", title="Machines", title_justify="left")
    for node in sorted(status.nodes, key=lambda one: one.name):
        table.add_row(
            node.name, f"{node.cores:g}", f"{node.load:.0%}", str(len(node.groups)),
            "draining" if node.draining else "",
        )  # fmt: skip
    return table


def _groups(status: ClusterStatus) -> Table:
    table = Table(
        "Group", "Node", "Cameras", "Cost", "Token", "Since", "State", title="Groups", title_justify="left"
    )
    for group in status.groups:
        report = group.report
        streaming = 0 if report is None else sum(one.state == "streaming" for one in report.cameras)
        table.add_row(
            group.edge_id,
            group.node or "–",
            f"{streaming} of {len(group.camera_ids)}",
            "–" if report is None or report.cores is None else f"{report.cores:.2f} cores",
            "–" if report is None or report.token is None else str(report.token),
            "–" if report is None or report.since is None else f"{report.since.astimezone():%m-%d %H:%M:%S}",
            _state(group),
        )
    return table


def _state(group: GroupStatus) -> Text:
    if group.report is None or not group.answers:
        return Text("no host" if group.report is None else "silent", style="red")
    return Text(group.report.state.value, style="red" if group.troubles else "green")


def _moves(moves: tuple[MoveReport, ...]) -> Table:
    table = Table("At", "Group", "From", "To", "Why", "Longest gap", title="Moves", title_justify="left")
    for move in moves:
        table.add_row(
            f"{move.at.astimezone():%H:%M:%S}", move.edge_id, move.source, move.target, move.reason, gap(move)
        )
    return table


def gap(move: MoveReport) -> str:
    """The longest time that one of its cameras was not analysed, or why that is not known."""
    if move.trouble is not None:
        return move.trouble
    longest = move.longest_gap
    return "not measured" if longest is None else f"{longest.total_seconds():.2f} s"
