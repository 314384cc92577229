"""The phone's keys: what a caller may press now, and what the keys pressed so far come to. Without a clock."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

DIGITS: Final = frozenset("0123456789")
RUN_GAP_MS: Final = 1_000.0  # keys less than this apart are one run: nobody means half of it
NEVER: Final = float("inf")


class KeyAction(StrEnum):
    """What a single key can ask for."""

    TRANSFER = "transfer"  # to a person
    CONSENT = "consent"
    REFUSE = "refuse"
    REPEAT = "repeat"
    END = "end"
    NO_CALLS = "no_calls"  # never again; the call ends, too
    LANGUAGE = "language"


@dataclass(frozen=True)
class DigitField:
    """Digits that a step asks for. From the playbook."""

    name: str
    least: int = 1
    most: int = 32
    terminator: str = "#"  # "": none, the entry ends when it is full or nothing more comes
    timeout_ms: int = 3_000  # without a further key
    sensitive: bool = False  # they never leave the gateway but for a tool


@dataclass(frozen=True)
class Key:
    """A key that means something by itself."""

    key: str
    action: KeyAction
    language: str = ""  # LANGUAGE: which


@dataclass(frozen=True)
class Keypad:
    """What the caller may press in answer to one reply."""

    digits: DigitField | None = None
    keys: tuple[Key, ...] = ()


@dataclass(frozen=True)
class Keyed:
    """How a turn was keyed in: one key with an action, or the digits of a field. Holds no sensitive digit."""

    action: KeyAction | None = None
    language: str = ""
    field: str = ""
    count: int = 0  # of digits
    complete: bool = True
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class KeysEntered:
    """The caller has keyed a turn in. ``digits`` may be sensitive: ``text`` is what may be told."""

    keyed: Keyed
    digits: str
    text: str


@dataclass(frozen=True, slots=True)
class KeysIgnored:
    """Keys were pressed that nothing asked for; told once a run."""


KeyEvent = KeysEntered | KeysIgnored

_ASKS: Final = {
    KeyAction.TRANSFER: "asks for a person",
    KeyAction.CONSENT: "consents",
    KeyAction.REFUSE: "does not consent",
    KeyAction.REPEAT: "asks to hear that again",
    KeyAction.END: "wants to end the call",
}


def reference(field: str) -> str:
    """What stands for sensitive digits wherever they must not be."""
    return f"[{field}]"


class KeyCollector:
    """Collects keys. Times are ms on the stream's clock; feed every key, and the time once ``due_ms`` has come.

    Each reply allows one entry or one action; what is pressed beyond that is ignored until the next reply, and of a
    run of keys without a pause all of it: a key that is stuck makes one turn, whatever it goes on to send.
    """

    def __init__(self) -> None:
        self._keypad = Keypad()
        self._answered = True  # before the first reply there is nothing to press a key for
        self._entering: DigitField | None = None
        self._digits = ""
        self._last_ms = -RUN_GAP_MS
        self._ignoring = False  # this run of keys
        self.due_ms = NEVER  # when the entry under way ends by itself

    @property
    def entering(self) -> bool:
        """Whether digits are being keyed in."""
        return self._entering is not None

    def expect(self, keypad: Keypad) -> None:
        """A reply has begun: these keys answer it. An entry under way goes on by the rules it began with."""
        self._keypad = keypad
        self._answered = False

    def press(self, key: str, now_ms: float) -> list[KeyEvent]:
        """The next key."""
        same_run, self._last_ms = now_ms - self._last_ms < RUN_GAP_MS, now_ms
        if self._ignoring and same_run:
            return []
        self._ignoring = False
        if self._entering is None:
            return self._begin(key, now_ms)
        if key == self._entering.terminator:
            return self._finish()
        return self._add(self._entering, key, now_ms) if key in DIGITS else []

    def pass_time(self, now_ms: float) -> list[KeyEvent]:
        """Nothing was pressed meanwhile."""
        return self._finish() if now_ms >= self.due_ms else []

    def _begin(self, key: str, now_ms: float) -> list[KeyEvent]:
        field = self._keypad.digits
        if not self._answered and field is not None and key in DIGITS:
            self._entering = field
            return self._add(field, key, now_ms)
        if not self._answered and (action := self._action(key)) is not None:
            return [action]
        self._ignoring = True
        return [KeysIgnored()]

    def _add(self, field: DigitField, key: str, now_ms: float) -> list[KeyEvent]:
        self._digits += key
        self.due_ms = now_ms + field.timeout_ms
        return self._finish() if len(self._digits) >= field.most else []

    def _finish(self) -> list[KeyEvent]:
        field, digits = self._entering, self._digits
        assert field is not None
        self._entering, self._digits, self.due_ms, self._answered = None, "", NEVER, True
        if len(digits) == 1 < field.least and (action := self._action(digits)) is not None:
            return [action]  # one key and then nothing: a way out of the entry
        complete = len(digits) >= field.least
        keyed = Keyed(field=field.name, count=len(digits), complete=complete, sensitive=field.sensitive)
        return [KeysEntered(keyed, digits, _told(keyed, digits))]

    def _action(self, key: str) -> KeysEntered | None:
        for known in self._keypad.keys:
            if known.key == key:
                self._answered = True
                keyed = Keyed(action=known.action, language=known.language)
                asks = _ASKS.get(known.action, f"wants to go on in {known.language}")
                return KeysEntered(keyed, "", f"[key {key}: {asks}]")
        return None


def _told(keyed: Keyed, digits: str) -> str:
    if not keyed.sensitive:
        return digits
    count = f"{keyed.count} digit{'' if keyed.count == 1 else 's'}"
    return f"{reference(keyed.field)} {count}" if keyed.complete else f"[{keyed.field} incomplete: {count}]"
