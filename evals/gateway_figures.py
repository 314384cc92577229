"""What a gateway has counted, read from its /metrics."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families

Samples = dict[str, dict[tuple[tuple[str, str], ...], float]]  # name -> labels -> value


@dataclass(frozen=True, slots=True)
class GatewayFigures:
    """The counts of some gateways, at one moment."""

    samples: Samples

    @classmethod
    async def read(cls, ports: Sequence[int]) -> "GatewayFigures":
        """As they are now; those of several gateways are added up. Raises httpx.HTTPError."""
        async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
            texts = [(await http.get(f"http://127.0.0.1:{port}/metrics")).raise_for_status().text for port in ports]
        return cls.parse(texts)

    @classmethod
    def parse(cls, texts: Sequence[str]) -> "GatewayFigures":
        """From what /metrics said."""
        samples: Samples = {}
        for text in texts:
            for family in text_string_to_metric_families(text):
                for sample in family.samples:
                    values = samples.setdefault(sample.name, {})
                    labels = tuple(sorted(sample.labels.items()))
                    values[labels] = values.get(labels, 0.0) + sample.value
        return cls(samples)

    def counted(self, name: str, before: "GatewayFigures") -> int:
        """By how much a counter has risen, whatever its labels."""
        return round(sum(self.samples.get(name, {}).values()) - sum(before.samples.get(name, {}).values()))

    def percentile_ms(self, name: str, share: float, before: "GatewayFigures") -> float:
        """The upper bound of the histogram's bucket that this share of the times fell into; NaN for no times."""
        old = before.samples.get(f"{name}_bucket", {})
        buckets: dict[float, float] = {}
        for labels, value in self.samples.get(f"{name}_bucket", {}).items():
            bound = float(dict(labels)["le"])
            buckets[bound] = buckets.get(bound, 0.0) + value - old.get(labels, 0.0)
        total = buckets.get(math.inf, 0.0)
        reached = (bound for bound, value in sorted(buckets.items()) if value >= share * total)
        return next(reached) * 1_000 if total else math.nan
