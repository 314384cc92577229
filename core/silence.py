"""What to say to a caller who says nothing: ask again, then help, then take leave."""

from collections.abc import Mapping, Sequence

from core.sentences import sentences_of


def silence_line(prompts: Sequence[str], count: int, said: str, step: str, helps: Mapping[str, str]) -> str | None:
    """The line for the caller's silence number ``count`` in a row, from 0; None: all was in vain.

    Args:
        said: what the assistant said last; the question in it is asked again.
        helps: the playbook's help by step.
    """
    if count >= len(prompts):
        return None
    more = _question_in(said) if count == 0 else helps.get(step, "") if count == 1 else ""
    return f"{prompts[count]} {more}".strip()


def _question_in(said: str) -> str:
    return next((sentence for sentence in reversed(sentences_of(said)) if sentence.endswith("?")), "")
