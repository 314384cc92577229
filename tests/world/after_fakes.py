"""Fakes of what happens after a call."""

from collections.abc import Sequence

from core.contracts.after_call import AfterState, DeadLetter, EndpointPlan
from core.contracts.call import CallRecord
from core.ports.after_call import Attempt, Delivery, Endpoint, Letter, Tried
from tests.world.fakes import Faults


class FakeAfterCalls:
    """SQL as dictionaries. Calls may write their notes as soon as ``earlier`` ones are out of the way."""

    def __init__(self) -> None:
        self.earlier = 0  # each look finds one less
        self.keep_faults = Faults()
        self.states: dict[str, AfterState] = {}
        self.kept: dict[str, Letter] = {}

    async def queue_for_crm(self, record: CallRecord) -> None:
        """Nobody waits here."""

    async def is_crm_turn(self, call_id: str) -> bool:
        """Once nobody is before it."""
        self.earlier -= 1
        return self.earlier < 0

    async def leave_crm_queue(self, call_id: str) -> None:
        """Nobody waits here."""

    async def keep(self, state: AfterState) -> None:
        """Replace it."""
        self.keep_faults.meet()
        self.states[state.call_id] = state

    async def state(self, call_id: str) -> AfterState | None:
        """What was kept."""
        return self.states.get(call_id)

    async def set_aside(self, letter: DeadLetter) -> str:
        """Keep it."""
        letter_id = f"{letter.call_id}-{letter.errand.step}"
        self.kept[letter_id] = Letter(letter_id, "dead", letter.at_ms, letter)
        return letter_id

    async def letters(
        self, *, call_id: str | None = None, dead: bool | None = None, limit: int = 100
    ) -> Sequence[Letter]:
        """Those of a call."""
        return [letter for letter in self.kept.values() if call_id in (None, letter.letter.call_id)]

    async def letter(self, letter_id: str) -> Letter | None:
        """One."""
        return self.kept.get(letter_id)

    async def mark_letter(self, letter_id: str, status: str) -> None:
        """Replace it."""
        old = self.kept[letter_id]
        self.kept[letter_id] = Letter(letter_id, status, old.changed_ms, old.letter)


class FakeWebhooks:
    """Endpoints in memory."""

    def __init__(self) -> None:
        self.known: dict[str, tuple[Endpoint, tuple[str, ...]]] = {}
        self.attempts: list[tuple[str, str, Attempt]] = []

    async def plans(self) -> Sequence[EndpointPlan]:
        """All."""
        return [EndpointPlan(known.endpoint_id, known.events, "customer") for known, _ in self.known.values()]

    async def endpoints(self) -> Sequence[Endpoint]:
        """All."""
        return [known for known, _ in self.known.values()]

    async def endpoint(self, endpoint_id: str) -> tuple[Endpoint, tuple[str, ...]] | None:
        """One."""
        return self.known.get(endpoint_id)

    async def add(self, endpoint: Endpoint, secret: str) -> None:
        """Keep it."""
        self.known[endpoint.endpoint_id] = endpoint, (secret,)

    async def change(self, endpoint: Endpoint) -> None:
        """Replace it."""
        self.known[endpoint.endpoint_id] = endpoint, self.known[endpoint.endpoint_id][1]

    async def rotate(self, endpoint_id: str, secret: str, now_ms: float, keep_ms: float) -> bool:
        """Both secrets from now on."""
        endpoint, old = self.known[endpoint_id]
        self.known[endpoint_id] = endpoint, (secret, *old[:1])
        return True

    async def remove(self, endpoint_id: str) -> bool:
        """Forget it."""
        return self.known.pop(endpoint_id, None) is not None

    async def note(self, endpoint_id: str, tried: Sequence[Tried]) -> None:
        """Keep them."""
        self.attempts += [(endpoint_id, one.message_id, one.attempt) for one in tried]

    async def deliveries(self, endpoint_id: str, limit: int = 100) -> Sequence[Delivery]:
        """Not asked for in stories of calls."""
        return []


class FakeSender:
    """Answers with ``statuses`` in turn, then 200. ``sent`` keeps what came."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.sent: list[tuple[str, bytes, dict[str, str]]] = []

    def fault(self, url: str) -> str:
        """Every address will do."""
        return ""

    async def send(self, url: str, body: bytes, headers: dict[str, str]) -> Attempt:
        """Take it."""
        self.sent.append((url, body, headers))
        status = self.statuses.pop(0) if self.statuses else 200
        return Attempt(status, f"answered {status}", 3)


class FakeMessenger:
    """Keeps what was sent."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, str, str]] = []
        self.mails: list[tuple[str, str, str, str]] = []
        self.faults = Faults()

    async def send_sms(self, to: str, from_: str, text: str, since_ms: float) -> str:
        """Keep it."""
        self.faults.meet()
        self.texts.append((to, from_, text))
        return f"SM{len(self.texts)}"

    async def send_email(self, to: str, subject: str, text: str, key: str) -> str:
        """Keep it."""
        self.faults.meet()
        self.mails.append((to, subject, text, key))
        return f"<{key}@test>"
