"""The holdfast command, and the one place where parts are put together."""
