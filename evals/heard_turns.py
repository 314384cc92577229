"""What of a caller's waiting for an answer was the vendors', turn by turn, by the sandbox's own stamps."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evals.stamps import Said, Stamp, Stamps


@dataclass(frozen=True, slots=True)
class HeardTurn:
    """One turn as the caller heard it, ms."""

    latency: float  # end of speech -> first audio of the answer at the carrier
    recogniser: float  # end of speech -> end of turn sent
    begun: float  # end of speech -> what had this answer made: the end of turn, or an eager one that was not taken back
    model: float  # request received -> the token that ends the first sentence sent
    voice: float  # the sentence received -> its first audio sent
    filled: bool = False  # a filler or holding line was heard before; the latency is the answer's own

    @property
    def vendors(self) -> float:
        """What the answer would have taken if nothing of ours took any time."""
        return max(self.recogniser, self.begun + self.model + self.voice)

    @property
    def overhead(self) -> float:
        """What was none of the vendors'."""
        return self.latency - self.vendors


def heard_turns(calls: Sequence[Mapping[str, Any]], stamps: Sequence[Stamp]) -> tuple[list[HeardTurn], int]:
    """The turns whose every stamp was found, and how many caller lines were not answered."""
    index = Stamps(stamps)
    turns, unanswered = [], 0
    for call, line in itertools.chain.from_iterable(((call, line) for line in call["said"]) for call in calls):
        turn = _turn_of(index, line, call.get("heard", ()))
        if turn is None:
            unanswered += 1
        else:
            turns.append(turn)
    return turns, unanswered


def _turn_of(index: Stamps, line: Said, heard: Sequence[Mapping[str, Any]]) -> HeardTurn | None:
    text, ended_ms, first_ms = line["text"], line["speech_end_ms"], line["reply_arrived_ms"]
    if ended_ms is None or first_ms is None:
        return None
    end_of_turn = index.first("deepgram", "end_of_turn", text, ended_ms)
    if end_of_turn is None:
        return None
    begun_ms = _begun(index, text, ended_ms, end_of_turn["at_ms"])
    request = index.first("anthropic", "request", text, begun_ms)
    sentence = index.first("anthropic", "first_sentence", text, request["at_ms"]) if request else None
    if request is None or sentence is None:
        return None
    spoken = sentence["data"]["text"]
    asked = index.first("elevenlabs", "text", spoken, sentence["at_ms"])
    voiced = index.first("elevenlabs", "first_byte", spoken, sentence["at_ms"])
    if asked is None or voiced is None:
        return None
    heard_ms = _arrival(spoken, [one for one in heard if one["arrived_ms"] >= ended_ms])
    return HeardTurn(
        latency=(heard_ms or first_ms) - ended_ms,
        filled=heard_ms is not None and heard_ms > first_ms + 1,  # the same moment is told twice
        recogniser=end_of_turn["at_ms"] - ended_ms,
        begun=begun_ms - ended_ms,
        model=sentence["at_ms"] - request["at_ms"],
        voice=voiced["at_ms"] - asked["at_ms"],
    )


def _arrival(sentence: str, heard: Sequence[Mapping[str, Any]]) -> float | None:
    """When the beginning of an answer came to the carrier, ms since the epoch; None if nobody has heard it."""
    begins = sentence.split()[:2]
    for line in heard:
        words = [word["text"] for word in line["words"]]
        for place in range(len(words)):
            if words[place : place + len(begins)] == begins:
                first_ms: float = line["arrived_ms"]
                if place:
                    first_ms = line["played_ms"] + line["words"][place]["at_ms"] - line["at_ms"]
                return first_ms
    return None


def _begun(index: Stamps, text: str, ended_ms: float, end_of_turn_ms: float) -> float:
    """The eager end of turn that stood until the end; the end itself if none did."""
    eager = [stamp["at_ms"] for stamp in index.all("deepgram", "eager_end_of_turn", text, ended_ms)]
    resumed = [stamp["at_ms"] for stamp in index.all("deepgram", "turn_resumed", text, ended_ms)]
    last_resumed = max((at for at in resumed if at <= end_of_turn_ms), default=0.0)
    return max((at for at in eager if last_resumed < at <= end_of_turn_ms), default=end_of_turn_ms)
