"""Figures for Prometheus: how much and how long, by route and code. No person, no desk, no recording is a label."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Figures:
    """Of one instance; Prometheus adds them up."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        given = {"namespace": "klartone_team", "registry": self.registry}
        self.requests = Counter("requests", "Requests answered", ("route", "method", "status"), **given)
        self.seconds = Histogram("request_seconds", "Time to answer", ("route", "method"), **given)
        self.under_way = Gauge("requests_under_way", "Requests being answered", **given)
        self.refused = Counter("refused", "Requests refused, by the product's code", ("code",), **given)
        self.received = Counter("recordings_received", "Recordings that arrived whole", **given)
        self.bytes = Counter("received_bytes", "Bytes of recordings that arrived", **given)

    def text(self) -> bytes:
        return generate_latest(self.registry)
