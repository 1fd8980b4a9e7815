"""The control room: the only one that decides where groups are, and carries their moves out.

It looks every second at what is there, and does the one thing that is due. It keeps nothing that it
could not find again: after a restart it finds nodes and hosts through the engine.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from kitchen_watch.clock import Clock
from kitchen_watch.cluster import handing_over
from kitchen_watch.cluster.configuration import GroupMembers
from kitchen_watch.cluster.hosts import Engine, group_of
from kitchen_watch.cluster.placement import GroupLoad, Move, Node, Temper, homeless, next_move
from kitchen_watch.cluster.report import (
    ClusterStatus,
    GroupStatus,
    HostReport,
    HostState,
    MoveReport,
    NodeStatus,
    Reloaded,
    ReloadReport,
)
from kitchen_watch.errors import ClusterError, NotFound

LOOK = timedelta(seconds=1)
SILENT_LIMIT = timedelta(seconds=60)
"""A host whose machine is there, and which does not answer for so long, hangs."""
START_LIMIT = timedelta(seconds=180)
"""One that the engine is starting, here or elsewhere, may take so long."""
AFTER_TROUBLE = timedelta(seconds=60)
"""A move that failed is not tried again before."""
KEPT_MOVES = 50

log = structlog.get_logger(__name__)


class ControlRoom:
    """Keeps every group on a node, and the nodes evenly loaded."""

    def __init__(
        self,
        engine: Engine,
        groups: Sequence[GroupMembers],
        *,
        clock: Clock,
        temper: Temper,
        guess_cores: float,
        gpus_per_group: float = 0.0,
    ) -> None:
        self._engine = engine
        self._groups = {group.edge_id: group for group in groups}
        self._clock = clock
        self._temper = temper
        self._guess = guess_cores
        self._gpus = gpus_per_group
        self._known: tuple[Node, ...] = ()
        self._names: dict[str, str] = {}
        """Also of machines that are gone."""
        self._draining: set[str] = set()
        self._reports: dict[str, HostReport] = {}
        self._silent: set[str] = set()
        self._heard: dict[str, float] = {}
        self._cost: dict[str, float] = {}
        self._moved_at: dict[str, datetime] = {}
        self._last_balanced = clock.now()
        """Also after its own start: hosts that are only just starting cost more than they will."""
        self._not_before: dict[str, datetime] = {}
        self._moves: deque[MoveReport] = deque(maxlen=KEPT_MOVES)
        self._moving: asyncio.Task[None] | None = None
        self._moving_group: str | None = None
        self._troubles: tuple[str, ...] = ()
        self._late: dict[str, str] = {}
        """Hosts that have not yet taken over the newest file, and its seal for them."""

    async def run(self) -> None:
        """Look and do what is due, until cancelled."""
        while True:
            try:
                await self.look()
            except ClusterError as error:
                self._troubles = (str(error),)
                log.error("control room cannot act", reason=str(error))
            await self._clock.sleep(LOOK)

    async def look(self) -> None:
        """One look at nodes and hosts: end what is too much, start what is missing, begin the next move."""
        self._known = tuple(await self._engine.nodes())
        self._names |= {node.node_id: node.name for node in self._known}
        hosts = list(await self._engine.hosts())
        await self._ask(hosts)
        await self._reload_late_ones(hosts)
        hosts = await self._end_superfluous(hosts)
        nodes = self._nodes()
        loads = self._loads()
        housed = {group_of(host) for host in hosts}
        waiting = [group for group in loads if group.edge_id not in housed]
        self._troubles = ()
        if not any(not node.draining for node in nodes):
            self._troubles = ("There is no node that may take groups. Start one, or end a drain.",)
        # Where the others are counts; those of lost nodes are being restarted by the engine.
        at = self._assignment()
        for move in homeless(nodes, loads, at):
            if any(group.edge_id == move.edge_id for group in waiting):
                log.info("group starts", edge_id=move.edge_id, node=self._name(move.target))
                await self._engine.start(move.edge_id, move.target)
        if self._moving is None or self._moving.done():
            self._begin_move(nodes, loads, at)

    @property
    def moving(self) -> str | None:
        """The group that is being moved."""
        return self._moving_group

    def status(self) -> ClusterStatus:
        """Everything as of the last look."""
        nodes, loads, at = self._nodes(), {one.edge_id: one for one in self._loads()}, self._assignment()
        return ClusterStatus(
            at=self._clock.now(),
            nodes=tuple(
                NodeStatus(
                    node.node_id, node.name, node.cores,
                    load=sum(loads[edge_id].cores for edge_id in loads if at.get(edge_id) == node.node_id)
                    / node.cores,
                    draining=node.draining,
                    groups=tuple(edge_id for edge_id in loads if at.get(edge_id) == node.node_id),
                )
                for node in nodes
            ),
            groups=tuple(self._group_status(group) for group in self._groups.values()),
            moves=tuple(self._moves),
            moving=self._moving_group,
            troubles=self._troubles,
        )  # fmt: skip

    def drain(self, name: str, *, undo: bool = False) -> str:
        """From now on a node gives its groups away (``undo``: may have groups again); its id.

        Raises:
            NotFound: there is no such node.
            ClusterError: no other node could take its groups.
        """
        nodes = self._nodes()
        found = [node for node in nodes if name in {node.name, node.node_id}]
        if len(found) != 1:
            known = ", ".join(sorted(node.name for node in nodes)) or "none"
            what = "no node" if not found else "more than one node"
            raise NotFound(f"There is {what} called {name}. Nodes: {known}.")
        node = found[0]
        if undo:
            self._draining.discard(node.node_id)
        elif not any(other is not node and not other.draining for other in nodes):
            raise ClusterError(f"No other node could take the groups of {name}. Start one first.")
        else:
            self._draining.add(node.node_id)
        log.info("node drains" if not undo else "node may have groups again", node=name)
        return node.node_id

    async def reload(self, groups: Sequence[GroupMembers], seals: Mapping[str, str]) -> ReloadReport:
        """From now on these are the groups: new ones are started, others ended, hosts of those that stay
        take over what the file says of them. First all of them are asked, so that one which cannot stops all.

        ``seals`` maps edge ids to the seals of their part; see ``ClusterFile.seal``.

        Raises:
            ClusterError: a host refuses; everything goes on as it was.
        """
        wanted = {group.edge_id: group for group in groups}
        hosts = {
            host: seals[group_of(host)] for host in await self._engine.hosts() if group_of(host) in seals
        }
        checked = await self._told(hosts, only_check=True)
        refused = [
            f"{one.edge_id}: {one.refused}" for one in checked.values() if one is not None and one.refused
        ]
        if refused:
            raise ClusterError(f"Nothing was changed. {' '.join(refused)}")
        before, self._groups = self._groups, wanted
        self._late = dict(hosts)
        taken = await self._told(hosts, only_check=False)
        refused = self._settle(taken)
        changed = {one.edge_id for one in checked.values() if one is not None and one.differs}
        changed |= {edge_id for edge_id in wanted if edge_id in before and before[edge_id] != wanted[edge_id]}
        report = ReloadReport(
            added=tuple(sorted(wanted.keys() - before.keys())),
            removed=tuple(sorted(before.keys() - wanted.keys())),
            changed=tuple(sorted(changed)),
            unchanged=tuple(sorted((wanted.keys() & before.keys()) - changed)),
            waiting=tuple(sorted({group_of(host) for host in self._late})),
        )
        log.info("file reloaded", added=report.added, removed=report.removed, changed=report.changed)
        if refused:  # it could a moment ago
            raise ClusterError(f"All groups but these have the new file. {' '.join(refused)}")
        return report

    async def _reload_late_ones(self, hosts: Sequence[str]) -> None:
        """Hosts that did not answer when the file was taken over are told again when they do."""
        self._late = {host: seal for host, seal in self._late.items() if host in hosts}
        answering = {host: seal for host, seal in self._late.items() if host not in self._silent}
        for refused in self._settle(await self._told(answering, only_check=False)):
            log.error("file not taken over", reason=refused)

    async def _told(self, hosts: Mapping[str, str], *, only_check: bool) -> Mapping[str, Reloaded | None]:
        answers = await asyncio.gather(
            *(self._engine.reload(host, seal, only_check=only_check) for host, seal in hosts.items())
        )
        return dict(zip(hosts, answers, strict=True))

    def _settle(self, taken: Mapping[str, Reloaded | None]) -> list[str]:
        """Who answered is no longer late; what the others say against it."""
        for host, answer in taken.items():
            if answer is not None:
                self._late.pop(host, None)
        return [f"{one.edge_id}: {one.refused}" for one in taken.values() if one is not None and one.refused]

    # what there is

    async def _ask(self, hosts: Sequence[str]) -> None:
        answers = await asyncio.gather(*(self._engine.report(host) for host in hosts))
        self._silent = {host for host, answer in zip(hosts, answers, strict=True) if answer is None}
        now = self._clock.monotonic()
        self._heard = {
            host: now if host not in self._silent else self._heard.get(host, now) for host in hosts
        }
        last = {host: self._reports[host] for host in self._silent if host in self._reports}
        self._reports = last | {
            host: answer for host, answer in zip(hosts, answers, strict=True) if answer is not None
        }
        for answer in answers:
            if answer is not None and answer.state is HostState.SERVING and answer.cores is not None:
                self._cost[answer.edge_id] = answer.cores

    async def _end_superfluous(self, hosts: Sequence[str]) -> list[str]:
        """Hosts of groups that are no longer wanted, second ones that no move explains, and hanging ones."""
        kept: dict[str, str] = {}
        for host in sorted(hosts, key=self._worth, reverse=True):
            group = group_of(host)
            if group == self._moving_group:
                continue
            hangs = self._hangs(host)
            if group in self._groups and group not in kept and not hangs:
                kept[group] = host
                continue
            log.warning("host ended", host=host, hangs=hangs)
            if not hangs:
                await self._engine.hand_over(host)
            await self._engine.end(host)
        return [host for host in hosts if host in kept.values() or group_of(host) == self._moving_group]

    def _hangs(self, host: str) -> bool:
        last = self._reports.get(host)
        there = last is not None and any(node.node_id == last.node_id for node in self._known)
        silent = self._clock.monotonic() - self._heard[host]
        return silent > (SILENT_LIMIT if there else START_LIMIT).total_seconds()

    def _worth(self, host: str) -> tuple[bool, bool, str]:
        """Of two hosts of a group the one that serves stays, else one that answers."""
        report = self._reports.get(host)
        serving = report is not None and report.state is HostState.SERVING
        return serving, host not in self._silent, host

    def _nodes(self) -> list[Node]:
        nodes = self._known
        self._draining &= {node.node_id for node in nodes}
        return [
            Node(node.node_id, node.name, node.cores, node.gpus, draining=node.node_id in self._draining)
            for node in nodes
        ]

    def _assignment(self) -> dict[str, str]:
        """Which node each group is on: where it is served, or else prepared."""
        at: dict[str, str] = {}
        for host in sorted(self._reports, key=self._worth):
            at[group_of(host)] = self._reports[host].node_id
        return at

    def _loads(self) -> list[GroupLoad]:
        """What each group costs; of those not yet measured, what the others' cameras cost."""
        measured = {edge_id: cost for edge_id, cost in self._cost.items() if edge_id in self._groups}
        cameras = sum(len(self._groups[edge_id].camera_ids) for edge_id in measured)
        each = sum(measured.values()) / cameras if cameras else self._guess
        return [
            GroupLoad(
                group.edge_id, measured.get(group.edge_id, each * len(group.camera_ids)), self._gpus,
                moved_at=self._moved_at.get(group.edge_id),
            )
            for group in self._groups.values()
        ]  # fmt: skip

    def _group_status(self, group: GroupMembers) -> GroupStatus:
        hosts = sorted(
            (host for host in self._reports if group_of(host) == group.edge_id), key=self._worth, reverse=True
        )
        if not hosts:
            return GroupStatus(group.edge_id, group.camera_ids, None, None, troubles=("It has no host yet.",))
        report = self._reports[hosts[0]]
        troubles = list(report.troubles)
        if hosts[0] in self._silent:
            troubles.insert(0, "Its host does not answer; it is restarted on another node if it is lost.")
        elif report.state is not HostState.SERVING:
            troubles.insert(0, f"It is not served yet: its host is {report.state.value}.")
        troubles += [
            f"{camera.camera_id}: {camera.reason or camera.state}"
            for camera in report.cameras
            if camera.state != "streaming" or camera.reason
        ]
        return GroupStatus(
            group.edge_id,
            group.camera_ids,
            self._name(report.node_id),
            report,
            answers=hosts[0] not in self._silent,
            troubles=tuple(troubles),
        )

    def _name(self, node_id: str) -> str:
        return self._names.get(node_id, node_id[:8])

    # moves

    def _begin_move(self, nodes: Sequence[Node], loads: Sequence[GroupLoad], at: Mapping[str, str]) -> None:
        """Start the one move that is due. A group that is not served is moved by nobody."""
        now = self._clock.now()
        serving = {
            group_of(host): host
            for host, report in self._reports.items()
            if report.state is HostState.SERVING and host not in self._silent
        }
        movable = {edge_id for edge_id in serving if self._not_before.get(edge_id, now) <= now}
        move = next_move(
            nodes, loads, at, now=now, movable=movable, last_balanced=self._last_balanced, temper=self._temper
        )
        if move is None or move.source is None:
            return
        self._moving_group = move.edge_id
        self._moving = asyncio.create_task(self._carry_out(move, serving[move.edge_id]))

    async def _carry_out(self, move: Move, old: str) -> None:
        source, target = self._name(str(move.source)), self._name(move.target)
        log.info("group moves", edge_id=move.edge_id, source=source, target=target, reason=move.reason)
        gaps: Mapping[str, float] = {}
        trouble: str | None = None
        try:
            gaps = await handing_over.hand_over(self._engine, move, old, clock=self._clock)
        except ClusterError as error:
            trouble = str(error)
            self._not_before[move.edge_id] = self._clock.now() + AFTER_TROUBLE
        except Exception as error:  # whatever it is, the other groups must be looked after
            trouble = f"The move failed: {type(error).__name__}."
            self._not_before[move.edge_id] = self._clock.now() + AFTER_TROUBLE
            log.exception("move failed", edge_id=move.edge_id)
        now = self._clock.now()
        if move.reason == "balance":
            self._last_balanced = self._moved_at[move.edge_id] = now
        report = MoveReport(move.edge_id, source, target, move.reason, now, gaps, trouble)
        self._moves.append(report)
        self._moving_group = None
        longest = report.longest_gap
        log.info(
            "group moved" if trouble is None else "group not moved", edge_id=move.edge_id, trouble=trouble,
            longest_gap_s=None if longest is None else round(longest.total_seconds(), 2),
        )  # fmt: skip
