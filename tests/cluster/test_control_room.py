"""The control room over a double of the engine: what it starts, moves, measures and cleans up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from kitchen_watch.clock import ManualClock
from kitchen_watch.cluster.configuration import GroupMembers
from kitchen_watch.cluster.control_room import SILENT_LIMIT, ControlRoom
from kitchen_watch.cluster.hosts import group_of
from kitchen_watch.cluster.placement import Node, Temper
from kitchen_watch.cluster.report import CameraReport, HandedOver, HostReport, HostState, Reloaded
from kitchen_watch.errors import ClusterError, NotFound

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
GROUPS = (GroupMembers("e1", ("c1", "c2")), GroupMembers("e2", ("c3",)))


@dataclass
class Host:
    """One host of the double. It serves as soon as no other host of its group holds the lease."""

    node_id: str
    report: HostReport
    silent: bool = False


class Machines:
    """Nodes and hosts as the engine would show them, with a lease per group."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.here: list[Node] = []
        self.hosts_here: dict[str, Host] = {}
        self.never_warm: set[str] = set()
        self.picture_after = timedelta(seconds=0.4)
        self.refusing: set[str] = set()
        """Groups whose hosts will not take the file over."""
        self.taken_over: list[tuple[str, str]] = []
        """Every group that took a file over, and its seal."""
        self._started = 0

    async def nodes(self) -> Sequence[Node]:
        return self.here

    async def hosts(self) -> Sequence[str]:
        return list(self.hosts_here)

    async def start(self, edge_id: str, node_id: str) -> str:
        self._started += 1
        host = f"{edge_id}/{self._started:04}"
        report = HostReport(edge_id, HostState.WAITING, node_id, 1, warm=node_id not in self.never_warm)
        self.hosts_here[host] = Host(node_id, report)
        return host

    async def report(self, host: str) -> HostReport | None:
        self._grant()
        found = self.hosts_here.get(host)
        return None if found is None or found.silent else found.report

    async def hand_over(self, host: str) -> HandedOver | None:
        found = self.hosts_here[host]
        if found.silent:
            return None
        self._set(host, replace(found.report, state=HostState.GONE))
        return HandedOver(group_of(host), {one.camera_id: self.clock.now() for one in found.report.cameras})

    async def reload(self, host: str, seal: str, *, only_check: bool) -> Reloaded | None:
        if self.hosts_here[host].silent:
            return None
        if group_of(host) in self.refusing:
            return Reloaded(group_of(host), refused="south: analysis: cannot be changed while the edge runs.")
        if not only_check:
            self.taken_over.append((group_of(host), seal))
        return Reloaded(group_of(host), differs=seal.endswith("new"))

    async def end(self, host: str) -> None:
        self.hosts_here.pop(host, None)

    def serving(self) -> dict[str, str]:
        """Which node serves each group."""
        return {
            group_of(host): found.node_id
            for host, found in self.hosts_here.items()
            if found.report.state is HostState.SERVING
        }

    def lose(self, node_id: str, *, restarted_on: str) -> None:
        """A node is gone; the engine restarts its hosts elsewhere."""
        self.here = [node for node in self.here if node.node_id != node_id]
        for host, found in self.hosts_here.items():
            if found.node_id == node_id:
                found.node_id = restarted_on
                self._set(host, HostReport(group_of(host), HostState.PREPARING, restarted_on, 2))

    def cost(self, edge_id: str, cores: float) -> None:
        for host, found in self.hosts_here.items():
            if group_of(host) == edge_id:
                self._set(host, replace(found.report, cores=cores))

    def _grant(self) -> None:
        for host, found in self.hosts_here.items():
            busy = {
                group_of(one)
                for one, other in self.hosts_here.items()
                if other.report.state is HostState.SERVING
            }
            if found.report.state is HostState.WAITING and group_of(host) not in busy:
                group = next((one for one in GROUPS if one.edge_id == group_of(host)), GROUPS[0])
                first = self.clock.now() + self.picture_after
                cameras = tuple(
                    CameraReport(camera, "streaming", frames_analysed=1, first_at=first, last_at=first)
                    for camera in group.camera_ids
                )
                self._set(
                    host,
                    replace(
                        found.report,
                        state=HostState.SERVING,
                        token=7,
                        since=first,
                        cameras=cameras,
                        cores=0.5,
                    ),
                )

    def _set(self, host: str, report: HostReport) -> None:
        self.hosts_here[host].report = report


class Scene:
    """A control room, its machines, and a clock that runs while something moves."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOON)
        self.machines = Machines(self.clock)
        self.room = ControlRoom(
            self.machines, GROUPS, clock=self.clock, temper=Temper(), guess_cores=0.25
        )  # fmt: skip

    async def look(self, times: int = 2) -> None:
        for _ in range(times):
            await self.room.look()
            await self.settle()

    async def settle(self) -> None:
        """Let a move that is under way come to its end."""
        for _ in range(2000):
            for _ in range(5):
                await asyncio.sleep(0)
            if self.room.moving is None:
                return
            self.clock.advance(timedelta(seconds=0.1))
        raise AssertionError("the move does not end")


@pytest.fixture
async def scene() -> Scene:
    made = Scene()
    made.machines.here = [Node("a", "north", 2.0), Node("b", "south", 2.0)]
    return made


async def test_every_group_is_started_and_spread(scene: Scene) -> None:
    await scene.look()
    assert scene.machines.serving() == {"e1": "a", "e2": "b"}
    status = scene.room.status()
    assert [(group.edge_id, group.node, group.troubles) for group in status.groups] == [
        ("e1", "north", ()), ("e2", "south", ()),
    ]  # fmt: skip
    assert [(node.name, node.groups, node.load) for node in status.nodes] == [
        ("north", ("e1",), 0.25), ("south", ("e2",), 0.25),
    ]  # fmt: skip


async def test_without_machines_it_says_so_and_starts_when_one_comes(scene: Scene) -> None:
    nodes, scene.machines.here = scene.machines.here, []
    await scene.look()
    assert scene.machines.hosts_here == {}
    assert "no node that may take groups" in scene.room.status().troubles[0]
    scene.machines.here = nodes
    await scene.look()
    assert set(scene.machines.serving()) == {"e1", "e2"}


async def test_a_lost_node_s_group_is_left_to_the_engine_and_not_started_twice(scene: Scene) -> None:
    await scene.look()
    scene.machines.lose("a", restarted_on="b")
    await scene.look(5)
    assert [group_of(host) for host in scene.machines.hosts_here] == ["e1", "e2"]
    group = scene.room.status().groups[0]
    assert group.node == "south"
    assert "not served yet" in group.troubles[0]


async def test_draining_moves_one_group_after_the_other_and_measures_the_gap(scene: Scene) -> None:
    await scene.look()
    scene.room.drain("north")
    await scene.look(3)
    assert scene.machines.serving() == {"e1": "b", "e2": "b"}
    (move,) = scene.room.status().moves
    assert (move.edge_id, move.source, move.target, move.reason) == ("e1", "north", "south", "drained")
    assert set(move.gaps) == {"c1", "c2"}
    assert move.longest_gap == timedelta(seconds=0.4)
    assert len(scene.machines.hosts_here) == 2, "the old host is ended"
    scene.room.drain("north", undo=True)
    assert not any(node.draining for node in scene.room.status().nodes)


async def test_the_last_node_cannot_be_drained_and_an_unknown_one_is_named(scene: Scene) -> None:
    await scene.look()
    scene.room.drain("north")
    with pytest.raises(ClusterError, match="No other node"):
        scene.room.drain("south")
    with pytest.raises(NotFound, match="Nodes: north, south"):
        scene.room.drain("east")


async def test_a_new_host_that_does_not_get_ready_is_given_up_and_the_old_one_goes_on(scene: Scene) -> None:
    await scene.look()
    scene.machines.never_warm.add("b")
    scene.room.drain("north")
    await scene.look(3)
    assert scene.machines.serving() == {"e1": "a", "e2": "b"}
    moves = scene.room.status().moves
    assert len(moves) == 1, "it is not tried again at once"
    assert "not ready within 120 s" in str(moves[0].trouble)
    scene.clock.advance(timedelta(seconds=61))
    scene.machines.never_warm.clear()
    await scene.look()
    assert scene.machines.serving() == {"e1": "b", "e2": "b"}


async def test_an_old_host_that_does_not_answer_is_ended_and_the_new_one_serves(scene: Scene) -> None:
    await scene.look()
    scene.room.drain("north")
    hand_over = scene.machines.hand_over

    async def deaf(host: str) -> HandedOver | None:
        scene.machines.hosts_here[host].silent = True
        return await hand_over(host)

    scene.machines.hand_over = deaf  # type: ignore[method-assign]
    await scene.look()
    assert scene.machines.serving()["e1"] == "b"
    assert "did not answer" in str(scene.room.status().moves[0].trouble)


async def test_a_new_node_takes_over_a_share_and_then_there_is_peace(scene: Scene) -> None:
    scene.machines.here = scene.machines.here[:1]
    await scene.look()
    assert set(scene.machines.serving().values()) == {"a"}
    scene.machines.here.append(Node("b", "south", 2.0))
    scene.machines.cost("e1", 1.5)
    scene.machines.cost("e2", 0.5)
    await scene.look()
    assert set(scene.machines.serving().values()) == {"a"}, (
        "what has only just started costs more than it will"
    )
    scene.clock.advance(timedelta(minutes=1))
    await scene.look()
    assert scene.machines.serving() == {"e1": "b", "e2": "a"}
    for _ in range(20):
        scene.clock.advance(timedelta(minutes=1))
        await scene.look()
    assert [move.reason for move in scene.room.status().moves] == ["balance"]


async def test_of_two_hosts_of_a_group_the_one_that_serves_stays(scene: Scene) -> None:
    """As after a control room that was killed in the middle of a move."""
    await scene.look()
    left_over = await scene.machines.start("e1", "b")
    stranger = await scene.machines.start("e9", "b")
    await scene.look(1)
    assert left_over not in scene.machines.hosts_here
    assert stranger not in scene.machines.hosts_here, "no longer configured"
    assert scene.machines.serving() == {"e1": "a", "e2": "b"}


async def test_a_host_that_hangs_is_replaced(scene: Scene) -> None:
    await scene.look()
    (hanging,) = (host for host in scene.machines.hosts_here if group_of(host) == "e1")
    scene.machines.hosts_here[hanging].silent = True
    await scene.look()
    assert "does not answer" in scene.room.status().groups[0].troubles[0]
    assert hanging in scene.machines.hosts_here
    scene.clock.advance(SILENT_LIMIT + timedelta(seconds=1))
    await scene.look(3)
    assert hanging not in scene.machines.hosts_here
    assert set(scene.machines.serving()) == {"e1", "e2"}


NEXT = (GroupMembers("e1", ("c1", "c2", "c4")), GroupMembers("e3", ("c5",)))
SEALS = {"e1": "1-new", "e3": "3-new"}


async def test_a_new_file_starts_new_groups_ends_others_and_leaves_the_rest_alone(scene: Scene) -> None:
    await scene.look()
    before = dict(scene.machines.hosts_here)
    groups = (*GROUPS[:1], *NEXT[1:])
    report = await scene.room.reload(groups, {"e1": "1-same", "e3": "3-new"})
    assert (report.added, report.removed, report.changed, report.unchanged) == (
        ("e3",), ("e2",), (), ("e1",),
    )  # fmt: skip
    await scene.look()
    assert set(scene.machines.serving()) == {"e1", "e3"}
    (kept,) = (host for host in before if group_of(host) == "e1")
    assert scene.machines.hosts_here[kept] is before[kept], "the same host, not another one of that name"
    assert [group.edge_id for group in scene.room.status().groups] == ["e1", "e3"]


async def test_a_group_whose_cameras_changed_is_told_and_not_moved(scene: Scene) -> None:
    await scene.look()
    hosts = set(scene.machines.hosts_here)
    report = await scene.room.reload((NEXT[0], GROUPS[1]), {"e1": "1-new", "e2": "2-same"})
    assert (report.changed, report.unchanged, report.waiting) == (("e1",), ("e2",), ())
    assert ("e1", "1-new") in scene.machines.taken_over
    await scene.look()
    assert set(scene.machines.hosts_here) == hosts
    assert scene.room.status().groups[0].camera_ids == ("c1", "c2", "c4")


async def test_a_file_that_one_machine_refuses_changes_nothing_anywhere(scene: Scene) -> None:
    await scene.look()
    hosts = set(scene.machines.hosts_here)
    scene.machines.refusing.add("e1")
    with pytest.raises(ClusterError, match=r"Nothing was changed. e1: south: analysis: cannot be changed"):
        await scene.room.reload(NEXT, SEALS)
    await scene.look()
    assert scene.machines.taken_over == []
    assert set(scene.machines.hosts_here) == hosts
    assert [group.edge_id for group in scene.room.status().groups] == ["e1", "e2"]


async def test_a_host_that_did_not_answer_takes_the_file_over_when_it_does(scene: Scene) -> None:
    await scene.look()
    (deaf,) = (found for host, found in scene.machines.hosts_here.items() if group_of(host) == "e1")
    deaf.silent = True
    report = await scene.room.reload(NEXT, SEALS)
    assert report.waiting == ("e1",)
    await scene.look()
    assert scene.machines.taken_over == []
    deaf.silent = False
    await scene.look(3)
    assert scene.machines.taken_over == [("e1", "1-new")], "once"
