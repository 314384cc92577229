"""The truth of a live call; deterministic, reads like the call's story."""
