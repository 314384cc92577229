"""Lines the gateway may say by itself while everything else is dead."""


class HoldingLines:
    """One call's holding lines as audio, said in rotation. Empty until a worker has brought them."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._next = 0

    def keep(self, lines: list[bytes]) -> None:
        """Have these from now on."""
        self._lines = [line for line in lines if line]

    def next(self) -> bytes | None:
        """The next one, None if there is none."""
        if not self._lines:
            return None
        line = self._lines[self._next % len(self._lines)]
        self._next += 1
        return line
