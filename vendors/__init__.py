"""One file per vendor: the real SDK behind a port, with no retries of its own."""
