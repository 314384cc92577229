"""Pure decisions: no I/O, no clock, no randomness. Everything else is built on this."""
