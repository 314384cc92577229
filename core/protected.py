"""What is said to its end, whatever the caller says meanwhile: the disclosure, legal notices."""

from dataclasses import dataclass

from core.playbook import Playbook
from core.sentences import SentenceCutter
from core.words import words_of


@dataclass(frozen=True)
class Protected:
    """A playbook's, in all its languages. As it stands here: nothing."""

    sentences: tuple[str, ...] = ()
    disclosures: tuple[str, ...] = ()  # of one or more sentences each

    def sentences_in(self, line: str) -> int:
        """How many sentences at the beginning of a line are to be said to their end: up to the last that must be."""
        if not (self.sentences or self.disclosures):
            return 0
        sentences = {_plain(sentence) for sentence in self.sentences}
        disclosure = " ".join(map(_plain, self.disclosures))
        found, cutter = 0, SentenceCutter()
        for count, sentence in enumerate([*cutter.feed(line), *cutter.finish()], 1):
            plain = _plain(sentence)
            if plain in sentences or (plain and plain in disclosure):
                found = count
        return found


def protected_in(playbook: Playbook) -> Protected:
    """What the playbook protects."""
    texts = [playbook.lines_in(language) for language in playbook.spoken]
    return Protected(
        tuple(line for text in texts for line in text.protected_lines),
        tuple(text.disclosure for text in texts) if playbook.protect_disclosure else (),
    )


def _plain(line: str) -> str:
    return " ".join(words_of(line))
