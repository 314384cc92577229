"""The rule-based model with documents: it tells a sentence of theirs and cites it, or says that it does not know."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sandbox import model_words
from sandbox.model_prompt import Conversation

_UNKNOWN: Final = re.compile(r'^.*\bsay "([^"]+)" and (offer a person)?', re.M)
_QUESTION: Final = re.compile(
    r"\?\s*$|^(?:(?:um|uh|so|and|okay|hi|hello|please),? )*"
    r"(?:how|what|when|where|which|who|whose|do|does|is|are|can|could|will|would|may)\b",
    re.I,
)
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+")


def from_documents(conversation: Conversation, tools: Sequence[Mapping[str, Any]]) -> str:
    """What documents tell of the caller's question, with its mark, or that nothing does; "" where neither fits.

    Args:
        tools: those that have not been run yet, which may answer the question as well.
    """
    said = conversation.caller_text
    unknown = _UNKNOWN.search(conversation.system)
    if unknown is None or not _QUESTION.search(said):
        return ""
    asked = set(model_words.keywords(said))
    rated = [
        (
            len(asked & set(model_words.keywords(sentence))),
            len(asked & set(model_words.keywords(place))),
            -number,
            sentence,
        )
        for number, (place, text) in conversation.excerpts.items()
        for sentence in _SENTENCE.split(text)
    ]
    in_sentence, in_heading, number, sentence = max(rated, default=(0, 0, 0, ""))
    if in_sentence >= 2 or (not tools and in_sentence + in_heading):
        return f"{sentence} [{-number}]"
    about = " ".join([conversation.goal, *(str(tool.get("description", "")) for tool in tools)])
    if asked & set(model_words.keywords(about)):
        return ""
    return f"{unknown[1]} Shall I connect you with a colleague?" if unknown[2] else unknown[1]
