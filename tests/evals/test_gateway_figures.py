"""Counts and times out of a gateway's /metrics."""

import math

from prometheus_client import generate_latest

from evals.gateway_figures import GatewayFigures
from media_gateway.metrics import GatewayMetrics


def figures(*metrics: GatewayMetrics) -> GatewayFigures:
    return GatewayFigures.parse([generate_latest(each.registry).decode() for each in metrics])


def test_a_counter_is_what_all_gateways_have_counted_since() -> None:
    one, other = GatewayMetrics(), GatewayMetrics()
    one.withdrawn.inc(5)
    before = figures(one, other)
    one.withdrawn.inc()
    other.withdrawn.inc(2)
    assert figures(one, other).counted("holdfast_gateway_withdrawn_turns_total", before) == 3


def test_a_percentile_is_the_bound_of_the_bucket_it_fell_into() -> None:
    metrics = GatewayMetrics()
    metrics.latency.observe(9.0)  # before the measurement
    before = figures(metrics)
    for _ in range(19):
        metrics.latency.observe(0.3)
    metrics.latency.observe(0.7)
    name = "holdfast_gateway_turn_latency_seconds"
    assert figures(metrics).percentile_ms(name, 0.95, before) == 400
    assert figures(metrics).percentile_ms(name, 1.0, before) == 800
    assert math.isnan(before.percentile_ms(name, 0.95, before))
