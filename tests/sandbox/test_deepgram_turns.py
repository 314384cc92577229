from itertools import pairwise
from random import Random

from sandbox.audio_code import SILENCE, noise, speak
from sandbox.deepgram_turns import Confidences, FluxOptions, FluxTurns, TurnInfo
from sandbox.state import Latency

NO_DOUBT = Latency(resumed_share=0.0)


def flux(latency: Latency = NO_DOUBT, **options: float) -> FluxTurns:
    return FluxTurns(FluxOptions(**options), latency, Random(1))  # type: ignore[arg-type]


def hear(turns: FluxTurns, audio: bytes) -> list[tuple[int, TurnInfo]]:
    """Frame by frame; each event with the time at which it is told."""
    events = []
    for at in range(0, len(audio), 160):
        heard = turns.hear(audio[at : at + 160], at / 8 + 20)
        events += [(at // 8 + 20 + round(event.after_ms), event) for event in heard]
    return events


def names(events: list[tuple[int, TurnInfo]], *, updates: bool = False) -> list[str]:
    return [event.event for _, event in events if updates or event.event != "Update"]


def test_a_finished_sentence_ends_its_turn_after_the_usual_silence() -> None:
    said = speak("Where is my order?")
    events = hear(flux(), said.audio + SILENCE * 100)
    assert names(events) == ["StartOfTurn", "EndOfTurn"]
    (_, started), (ended_ms, ended) = events[0], events[-1]
    assert started.transcript == "Where"
    assert ended.transcript == "Where is my order?"
    assert ended.trigger == "model"
    assert ended_ms - said.duration_ms == 371
    assert ended.speech_end_ms == said.duration_ms


def test_an_unfinished_sentence_gets_more_time() -> None:
    said = speak("I would like to")
    (ended_ms, _) = hear(flux(), said.audio + SILENCE * 100)[-1]
    assert ended_ms - said.duration_ms == 1_500


def test_the_timeout_ends_any_turn() -> None:
    said = speak("I would like to")
    ended_ms, ended = hear(flux(eot_timeout_ms=600), said.audio + SILENCE * 100)[-1]
    assert ended.trigger == "timeout"
    assert 600 <= ended_ms - said.duration_ms < 620


def test_updates_come_four_times_a_second_and_carry_the_whole_turn() -> None:
    events = hear(flux(), speak("This is quite a long sentence that takes some time to say.").audio)
    updates = [event for _, event in events if event.event == "Update"]
    assert len(updates) == 15
    assert all(later.transcript.startswith(earlier.transcript) for earlier, later in pairwise(updates))


def test_a_turn_that_may_be_over_is_announced_only_to_those_who_ask() -> None:
    audio = speak("Where is my order?").audio + SILENCE * 100
    assert names(hear(flux(eager_eot_threshold=0.5), audio)) == ["StartOfTurn", "EagerEndOfTurn", "EndOfTurn"]
    assert "EagerEndOfTurn" not in names(hear(flux(), audio))


def test_an_answer_can_be_begun_as_early_as_the_vendor_takes_to_see_a_turn_coming() -> None:
    said = speak("Where is my order?")
    events = hear(flux(eager_eot_threshold=0.5), said.audio + SILENCE * 100)
    assert [told_ms - said.duration_ms for told_ms, event in events if event.event == "EagerEndOfTurn"] == [210]


def test_a_turn_that_may_be_over_is_taken_back_when_speech_goes_on() -> None:
    audio = speak("Where is my order? [300] I need it.").audio + SILENCE * 100
    events = hear(flux(eager_eot_threshold=0.5), audio)
    assert names(events) == ["StartOfTurn", "EagerEndOfTurn", "TurnResumed", "EagerEndOfTurn", "EndOfTurn"]
    assert events[-1][1].transcript == "Where is my order? I need it."


def test_some_turns_are_resumed_for_no_reason_and_end_all_the_same() -> None:
    said = speak("Where is my order?")
    events = hear(flux(Latency(resumed_share=1.0), eager_eot_threshold=0.5), said.audio + SILENCE * 100)
    assert names(events) == ["StartOfTurn", "EagerEndOfTurn", "TurnResumed", "EndOfTurn"]
    assert events[-1][0] - said.duration_ms == 371


def test_each_turn_has_its_own_text_and_number() -> None:
    audio = speak("Yes.").audio + SILENCE * 40 + speak("And no.").audio + SILENCE * 40
    ends = [event for _, event in hear(flux(), audio) if event.event == "EndOfTurn"]
    assert [(end.turn_index, end.transcript) for end in ends] == [(0, "Yes."), (1, "And no.")]


def test_audio_in_one_piece_is_decided_like_audio_in_frames() -> None:
    audio = speak("Yes.").audio + SILENCE * 40 + speak("And no.").audio + SILENCE * 40
    ends = [event.transcript for event in flux().hear(audio, 0.0) if event.event == "EndOfTurn"]
    assert ends == ["Yes.", "And no."]


def test_sound_without_words_is_no_turn() -> None:
    assert hear(flux(), noise(2.0) + SILENCE * 50) == []


def test_a_forced_end_ends_only_an_open_turn() -> None:
    turns = flux()
    assert turns.force_end() == []
    hear(turns, speak("I would").audio)
    (ended,) = turns.force_end()
    assert (ended.event, ended.trigger, ended.transcript) == ("EndOfTurn", "manual", "I would")
    assert turns.force_end() == []


def test_words_are_sure_unless_made_unsure() -> None:
    audio = speak("Where is my order?").audio + SILENCE * 30
    for unsure in (False, True):
        turns = FluxTurns(FluxOptions(), NO_DOUBT, Random(1), Confidences(Random(1), lambda unsure=unsure: unsure))  # type: ignore[misc]
        end = hear(turns, audio)[-1][1]
        assert all((word["confidence"] < 0.5) is unsure for word in end.words)
