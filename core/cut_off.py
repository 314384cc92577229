"""What a lost stream has cut off, and how the assistant goes on with it."""

from dataclasses import dataclass, replace

from core.conversation import Turn, Utterance
from core.sentences import parted, sentences_of


@dataclass(frozen=True)
class CutOff:
    """What is still to be said in a turn: ``line``, then the rest of an answer that was still being made."""

    line: str = ""
    unmade: bool = False
    after: tuple[str, ...] = ()  # sentences of that answer that were heard ..
    part: int = -1  # .. up to this one


def cut_off(turn: Turn) -> CutOff:
    """A sentence that was cut in its midst is said again from its beginning."""
    rests: list[str] = []
    unmade: CutOff | None = None
    for said in _lost(turn):
        made = said.line or (said.said if said.whole else "")
        heard, rest, _ = parted(sentences_of(made or said.said), said.heard or "")
        rests += rest if made else []
        before = turn.heard_before if said.part > turn.heard_up_to else ()
        unmade = None if made else CutOff(unmade=True, after=(*before, *heard), part=said.part)
    return replace(unmade or CutOff(), line=" ".join(rests))


def _lost(turn: Turn) -> list[Utterance]:
    """The last things said whose end was not heard, in their order."""
    lost: list[Utterance] = []
    for said in reversed(turn.utterances):
        if said.lost and not said.aside:
            lost.append(said)
        elif not said.aside:
            break
    return lost[::-1]
