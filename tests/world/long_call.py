"""A talk of many hours, without the hours."""

import random
from collections.abc import Callable, Iterator
from typing import Final

from core.contracts.call import Attach, CallerTurn, CallInput, PlaybackReport, ReplyKey, TurnTimings
from core.conversation import ToolCall, ToolResult, Usage
from core.live_call import LiveCall

TURN_MS: Final = 20_000.0  # one takes, the answer and a pause
TURNS_IN_8_HOURS: Final = 1_440
_WORDS: Final = (
    "order parcel address invoice number street delivery when where please tomorrow morning again still was the my is "
    "that for Tuesday carrier refund broken second other colour size account never came back before after because"
)


def long_call(
    call: CallInput,
    begun_ms: float,
    turns: int = TURNS_IN_8_HOURS,
    tool_answer: Callable[[int], str] = lambda number: "",
) -> Iterator[LiveCall]:
    """The state after each turn; every third one has a tool that told ``tool_answer`` of the turn, if anything."""
    chance = random.Random(8)

    def words(most: int) -> str:
        return " ".join(chance.choices(_WORDS.split(), k=chance.randint(3, most))).capitalize() + "."

    live = LiveCall.begin(call, begun_ms)
    live.attach(Attach(1, "MZ1", f"CA{call.call_id}", "ws://gateway-1", "http://gateway"), begun_ms)
    live.opening = None
    seqs = iter(range(1, 3 * turns + 2))
    _say(live, ReplyKey(1, 0, 0, 1), next(seqs), "Hello, how can I help?")
    yield live
    for number in range(1, turns + 1):
        at_ms = begun_ms + number * TURN_MS
        timings = TurnTimings(at_ms - 300, at_ms - 200, at_ms)
        live.hear_turn(CallerTurn(1, next(seqs), number, words(16), 0.9, timings, 9), at_ms)
        (turn,) = live.inbox.take_turns()
        now = live.conversation.hear(number, turn.text, turn.confidence, at_ms)
        if number % 3 == 0 and (told := tool_answer(number)):
            now.tools.append(ToolResult(ToolCall(f"t{number}", "find_order", {"order_number": "482"}), True, told, 90))
            live.remember_tool(number, now.tools[-1])
        live.conversation.spend(now, Usage("claude", 1_800 + number % 90, 40 + number % 17, 160))
        _say(live, ReplyKey(1, number, 0, 1), next(seqs), words(40))
        yield live


def _say(live: LiveCall, key: ReplyKey, seq: int, text: str) -> None:
    live.conversation.speak(key.attachment).said = text
    layers = dict.fromkeys(("end_of_turn", "hop", "step", "model", "sentence", "voice", "gateway"), 0.1 + seq % 97)
    live.hear_report(PlaybackReport(key, seq, text, complete=True, interrupted=False, layers=layers, played_ms=4_000))
