"""Golden sets, replay, simulated callers, benchmarks; reaches everything over sockets."""
