from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from core.ports.speech import SpeechChunk
from sandbox.audio_code import Utterance, speak
from sandbox.elevenlabs_speech import SpeechPiece, pieces_of
from vendors.elevenlabs_alignment import Letters, SentenceCutter

sentences_of_any_kind = st.lists(
    st.lists(st.text("abcé,.", min_size=1, max_size=12), min_size=1, max_size=5).map(" ".join), min_size=1, max_size=4
)


def joined(pieces: list[SpeechPiece]) -> SpeechPiece:
    """Several pieces as one, as a vendor may well send them."""
    first, *others = pieces
    for other in others:
        offset_ms = len(first.audio) // 8
        first = SpeechPiece(
            first.audio + other.audio,
            first.chars + other.chars,
            first.starts_ms + [offset_ms + start_ms for start_ms in other.starts_ms],
            first.durations_ms + other.durations_ms,
        )
    return first


def cut(sentences: list[str], spoken: list[Utterance], seed: int, *, spaces: bool = True) -> list[SpeechChunk]:
    random = Random(seed)
    cutter = SentenceCutter()
    pieces = []
    for sentence, utterance in zip(sentences, spoken, strict=True):
        cutter.add_sentence(sentence)
        pieces += list(pieces_of(f"{sentence} ", utterance, random))
    chunks = []
    while pieces:
        many = random.randint(1, 4)
        piece, pieces = joined(pieces[:many]), pieces[many:]
        letters = list(zip(piece.chars, piece.starts_ms, piece.durations_ms, strict=True))
        kept = [letter for letter in letters if spaces or not letter[0].isspace()]
        columns = [list(column) for column in zip(*kept, strict=True)] or [[], [], []]
        chunks += cutter.take(piece.audio, Letters(*columns))
    assert not cutter.outstanding
    assert cutter.end() == []
    return chunks


@given(sentences=sentences_of_any_kind, seed=st.integers(0, 1_000), spaces=st.booleans())
def test_each_sentence_gets_its_own_audio_and_words(sentences: list[str], seed: int, spaces: bool) -> None:
    spoken = [speak(sentence, "assistant") for sentence in sentences]
    chunks = cut(sentences, spoken, seed, spaces=spaces)
    for number, utterance in enumerate(spoken):
        mine = [chunk for chunk in chunks if chunk.sentence == number]
        assert b"".join(chunk.audio for chunk in mine) == utterance.audio
        assert [chunk.last for chunk in mine] == [False] * (len(mine) - 1) + [True]
        words = [word for chunk in mine for word in chunk.words]
        assert [(word.text, word.start_ms) for word in words] == [
            (word.text, word.start_ms) for word in utterance.words
        ]
        assert all(abs(word.end_ms - real.end_ms) <= 60 for word, real in zip(words, utterance.words, strict=True))
    assert all(one.sentence <= other.sentence for one, other in pairwise(chunks))


def test_a_sentence_that_is_whole_waits_for_its_last_sound() -> None:
    cutter = SentenceCutter()
    cutter.add_sentence("Hi")
    (first,) = cutter.take(b"\x00" * 800, Letters("Hi", [0, 90], [90, 60]))
    (second,) = cutter.take(b"\x01" * 400, Letters())
    assert (first.last, second.last) == (False, True)
    assert [(word.text, word.start_ms, word.end_ms) for word in first.words] == [("Hi", 0, 150)]


def test_sound_between_two_sentences_goes_to_the_later_one() -> None:
    cutter = SentenceCutter()
    cutter.add_sentence("A")
    cutter.add_sentence("B")
    (first,) = cutter.take(b"a" * 800, Letters("A", [0], [100]))
    (between,) = cutter.take(b"-" * 80, Letters())
    (second,) = cutter.take(b"b" * 800, Letters("B", [0], [100]))
    assert (first.sentence, first.last) == (0, True)
    assert (between.sentence, between.last) == (1, False)
    assert (second.sentence, second.words[0].start_ms, second.last) == (1, 10, True)


def test_without_letters_everything_is_one_sentence_until_the_end() -> None:
    cutter = SentenceCutter()
    cutter.add_sentence("One.")
    cutter.add_sentence("Two.")
    assert cutter.take(b"x" * 800, Letters()) == [SpeechChunk(0, b"x" * 800)]
    assert cutter.end() == [SpeechChunk(0, b"", last=True), SpeechChunk(1, b"", last=True)]
