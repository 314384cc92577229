"""Which of the caller's audio is kept, and under which turn."""

from media_gateway.kept_audio import KEPT_BYTES, LEAD_IN_BYTES, KeptAudio

FRAME = 160


def frame(number: int) -> bytes:
    return number.to_bytes(2, "big") * (FRAME // 2)


def test_a_turn_is_its_speech_with_a_little_before_it() -> None:
    kept = KeptAudio()
    frames = [frame(number) for number in range(200)]
    for number, audio in enumerate(frames):
        kept.add(audio, voiced=number >= 150)
    assert b"".join(kept.under_way()) == b"".join(frames[100:])
    kept.end_utterance(words=True)
    assert kept.under_way() == []
    kept.keep(1, kept.end_turn())
    assert kept.turn(1) == b"".join(frames[100:])
    assert kept.turn(2) is None


def test_utterances_that_make_one_turn_are_kept_together_and_sound_without_words_is_not() -> None:
    kept = KeptAudio()
    for number, words in ((1, True), (2, False), (3, True)):
        kept.add(frame(number), voiced=True)
        kept.end_utterance(words=words)
    assert kept.end_turn() == frame(1) + frame(3)
    assert kept.end_turn() == b""


def test_memory_is_bounded_and_the_oldest_goes_first() -> None:
    kept = KeptAudio()
    for number in range(5_000):
        kept.add(frame(number), voiced=True)
    assert sum(map(len, kept.under_way())) <= KEPT_BYTES
    assert kept.under_way()[-1] == frame(4_999)
    for turn in range(1, 5):
        kept.keep(turn, bytes(KEPT_BYTES // 3))
    assert kept.turn(1) is None
    assert kept.turn(4) is not None


def test_without_speech_only_the_lead_in_is_kept() -> None:
    kept = KeptAudio()
    for number in range(500):
        kept.add(frame(number), voiced=False)
    assert sum(map(len, kept.under_way())) == LEAD_IN_BYTES
