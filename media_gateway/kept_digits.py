"""Sensitive digits that callers have keyed in: in memory, under (call, name), until the call has left this process."""


class KeptDigits:
    """Nothing here is ever logged or sent anywhere but to a worker that asks for one entry by name."""

    def __init__(self) -> None:
        self._digits: dict[str, dict[str, str]] = {}

    def keep(self, call_id: str, name: str, digits: str) -> None:
        """Have them at hand; a later entry takes the place of an earlier one."""
        self._digits.setdefault(call_id, {})[name] = digits

    def get(self, call_id: str, name: str) -> str | None:
        """The digits, while they are kept."""
        return self._digits.get(call_id, {}).get(name)

    def wipe(self, call_id: str) -> None:
        """Forget all of the call's."""
        self._digits.pop(call_id, None)
