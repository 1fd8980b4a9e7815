"""What the backend counts, in Prometheus' terms; one registry per running backend."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """The backend's metrics."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Histogram(
            "kw_backend_request_seconds",
            "Time to answer a request, by route",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.events = Counter(
            "kw_backend_events_total", "Events of the edges by verdict", ["verdict"], registry=self.registry
        )
        self.evidence_bytes = Counter(
            "kw_backend_evidence_bytes_total", "Evidence received", registry=self.registry
        )
        self.event_delay = Histogram(
            "kw_backend_event_delay_seconds",
            "From the edge's clock (corrected) to acceptance",
            buckets=(0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 300, 3600, 86400),
            registry=self.registry,
        )
        self.streams = Gauge("kw_backend_streams", "Open alert streams", registry=self.registry)
        self.edges = Gauge(
            "kw_backend_connected_edges", "Edges connected to this process", registry=self.registry
        )
