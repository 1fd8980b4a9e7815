"""Dashboard and alarms ask only for figures that the programs really give."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import yaml
from prometheus_client import CollectorRegistry, generate_latest

from kitchen_watch.backend.metrics import Metrics
from kitchen_watch.control import CameraState, CameraStatus
from kitchen_watch.edge.report import NodeReport, OutboxReport, ReportCollector
from tests.deploy.places import DEPLOY

_NAME = re.compile(r"\b(?:kitchen_watch|kw_backend)_[a-z_]+\b")
PROMETHEUS_OWN = {"up"}


def _given() -> set[str]:
    """The names of every sample that an edge and a backend may show."""
    camera = CameraStatus(
        camera_id="cam-1", state=CameraState.STREAMING, since=datetime(2026, 3, 2, tzinfo=UTC), frame_age_ms=5
    )
    collector = ReportCollector()
    collector.report = NodeReport(
        edge_id="edge-1", ready=True, reasons=(), cameras=(camera,), outbox=OutboxReport(),
        violations={"NO_HAT": 1}, connected=True, inference_ms=12.0, disk_free_bytes=1,
    )  # fmt: skip
    edge = CollectorRegistry()
    edge.register(collector)
    backend = Metrics()
    # A histogram or counter with labels shows nothing before its first use.
    backend.requests.labels("GET", "/", "200").observe(0.1)
    backend.events.labels("accepted").inc()
    text = (generate_latest(edge) + generate_latest(backend.registry)).decode()
    return {line.split("{")[0].split(" ")[0] for line in text.splitlines() if not line.startswith("#")}


def _dashboard() -> Iterator[tuple[str, str]]:
    (path,) = (DEPLOY / "grafana" / "dashboards").glob("*.json")
    for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def _alarms() -> Iterator[tuple[str, str]]:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "rules.yaml").read_text(encoding="utf-8"))
    for group in rules["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]


def test_every_figure_of_dashboard_and_alarms_exists() -> None:
    given = _given()
    asked = [*_dashboard(), *_alarms()]
    assert len(asked) > 15
    for where, expression in asked:
        names = set(_NAME.findall(expression))
        assert names or expression.split()[0] in PROMETHEUS_OWN, where
        assert names <= given, f"{where} asks for {sorted(names - given)}"


def test_counters_are_asked_for_by_their_growth() -> None:
    for where, expression in [*_dashboard(), *_alarms()]:
        for name in _NAME.findall(expression):
            if name.endswith("_total"):
                assert re.search(rf"(rate|increase)\({name}", expression), where


def test_the_dashboard_is_provisioned_from_where_compose_mounts_it() -> None:
    provider = yaml.safe_load(
        (DEPLOY / "grafana" / "provisioning" / "dashboards" / "kitchen-watch.yaml").read_text(
            encoding="utf-8"
        )
    )
    compose = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text(encoding="utf-8"))
    mounts = dict(mount.split(":")[:2] for mount in compose["services"]["grafana"]["volumes"])
    inside = provider["providers"][0]["options"]["path"]
    assert mounts["../grafana/dashboards"] == inside
    source = yaml.safe_load(
        (DEPLOY / "grafana" / "provisioning" / "datasources" / "prometheus.yaml").read_text(encoding="utf-8")
    )
    panels = json.loads(next((DEPLOY / "grafana" / "dashboards").glob("*.json")).read_text(encoding="utf-8"))
    assert {panel["datasource"]["uid"] for panel in panels["panels"]} == {source["datasources"][0]["uid"]}
