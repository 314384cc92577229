"""What a killed gateway has cost its callers, read from the carrier's stamps."""

from typing import Any

from evals.gateway_chaos import GatewayVerdict, gateway_rows, take_times


def stamp(what: str, at_ms: float, sid: str = "CA1") -> dict[str, Any]:
    return {"vendor": "twilio", "what": what, "at_ms": at_ms, "data": {"sid": sid}}


def call(ended_ms: float, *played_ms: float) -> dict[str, Any]:
    return {"sid": "CA1", "ended_ms": ended_ms, "heard": [{"played_ms": each} for each in played_ms]}


STAMPS = [
    stamp("stream-started", 0),
    stamp("lost", 5_000),
    stamp("stream-started", 5_400, "CA2"),  # another call's
    stamp("stream-started", 6_100),
    stamp("closed", 9_000),
    stamp("stream-started", 9_200),
]


def test_each_loss_is_measured_to_the_next_stream_of_the_same_call_and_to_the_first_sound_on_it() -> None:
    verdict = GatewayVerdict()
    take_times(verdict, call(20_000, 4_000, 6_300, 9_500), STAMPS, "gateway-kill")
    assert (verdict.heard_again, verdict.hears_again, verdict.broken) == ([1_100], [1_300], [])
    take_times(verdict, call(20_000, 4_000, 6_300, 9_500), STAMPS, "gateway-drain")
    assert (verdict.heard_again[1:], verdict.hears_again[1:]) == ([200], [500])
    assert [row["struck"] for row in gateway_rows(verdict, "gateway-kill")] == [2, 2]


def test_a_stream_that_never_comes_back_breaks_the_promise_unless_the_caller_has_left() -> None:
    lost = STAMPS[:2]
    verdict = GatewayVerdict()
    take_times(verdict, call(5_500), lost, "gateway-kill")
    assert not verdict.broken
    take_times(verdict, call(30_000), lost, "gateway-kill")
    assert [broken.what for broken in verdict.broken] == ["its stream never came back"]
    assert [row["p95_ms"] for row in gateway_rows(verdict, "gateway-kill")] == ["", ""]
