"""What a gateway counts."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

LATENCY_BUCKETS = (0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)

SILENCING_BUCKETS = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05)


class GatewayMetrics:
    """Metrics in a registry of their own, so that several gateways fit in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.streams = Gauge("holdfast_gateway_streams", "Live media streams", registry=self.registry)
        self.refused = self._counter("streams_refused", "Streams that were not let in", "reason")
        self.frames = self._counter("frames_received", "Audio frames of streams that have ended")
        self.bad_messages = self._counter("bad_messages", "Messages of live streams that could not be read")
        self.turns = self._counter("turns", "Caller turns")
        self.withdrawn = self._counter("withdrawn_turns", "Turns that had probably ended and went on")
        self.late = self._counter("late_answers", "Times the workflow did not answer a turn or stream in time")
        self.barge_ins = self._counter("barge_ins", "Replies that the caller cut off")
        self.false_interruptions = self._counter(
            "false_interruptions", "Times playback was held for what held no words"
        )
        self.talk_overs = self._counter("talk_overs", "Times the caller was heard speaking while the assistant was")
        self.talk_over = self._counter("talk_over_seconds", "Time both were heard, of streams that have ended")
        self.played = self._counter("played_seconds", "Time replies were heard, of streams that have ended")
        self.dead_air = self._counter("dead_air", "Times a caller heard nothing for too long, by where it was", "stage")
        self.replies_lost = self._counter("replies_lost", "Replies whose worker went away")
        self.silencing = Histogram(
            "holdfast_gateway_silencing_seconds",
            "From the decision that the caller may be cutting in, or has, to the clear sent",
            buckets=SILENCING_BUCKETS,
            registry=self.registry,
        )
        self.latency = Histogram(
            "holdfast_gateway_turn_latency_seconds",
            "From the end of the caller's speech to the first audio of the answer",
            buckets=LATENCY_BUCKETS,
            registry=self.registry,
        )

    def _counter(self, name: str, help_text: str, *labels: str) -> Counter:
        return Counter(f"holdfast_gateway_{name}", help_text, labels, registry=self.registry)
