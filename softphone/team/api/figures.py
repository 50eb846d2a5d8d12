"""Figures for Prometheus: how much and how long, by route and code. No person, no desk, no recording is a label."""

from __future__ import annotations

from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_NAME = "klartone_team"


class Figures:
    """Of one instance; Prometheus adds them up."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        all_of = partial(Counter, namespace=_NAME, registry=self.registry)
        self.requests = all_of("requests", "Requests answered", ("route", "method", "status"))
        self.refused = all_of("refused", "Requests refused, by the product's code", ("code",))
        self.received = all_of("recordings_received", "Recordings that arrived whole")
        self.bytes = all_of("received_bytes", "Bytes of recordings that arrived")
        self.seconds = Histogram(
            "request_seconds", "Time to answer", ("route", "method"), namespace=_NAME, registry=self.registry
        )
        self.under_way = Gauge("requests_under_way", "Requests being answered", namespace=_NAME, registry=self.registry)

    def text(self) -> bytes:
        return generate_latest(self.registry)
