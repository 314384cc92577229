"""A turn's layers: each from a stamp to the next, with nothing left over."""

import pytest

from core.contracts.call import ReplyTimings, TurnTimings
from core.timings import HELD, HOP, LAYERS, RETRIED, STEP, TOOLS, TRANSCRIPT, WAITED, turn_layers

TURN = TurnTimings(speech_ended_ms=1_000.0, decided_ms=1_371.0, sent_ms=1_371.0)
PLAIN = ReplyTimings(
    started_ms=1_390.0,
    step_from_ms=1_380.0,
    step_to_ms=1_382.0,
    model_first_token_ms=1_710.0,
    first_sentence_ms=1_780.0,
    voice_first_byte_ms=1_910.0,
)


def test_an_answers_way_is_told_stamp_by_stamp() -> None:
    known = {layer: ms for layer, ms in turn_layers(TURN, PLAIN, 1_911.0, 1_912.0).items() if ms}
    assert known == {
        "end_of_turn": 371.0,
        "hop": 9.0 + 8.0,
        "step": 2.0,
        "model": 320.0,
        "sentence": 70.0,
        "voice": 130.0,
        "gateway": 1.0,
        "held": 1.0,
    }


@pytest.mark.parametrize(
    "reply",
    [
        PLAIN,
        ReplyTimings(1_390.0),  # a fixed line: no step, no model
        ReplyTimings(2_400.0, 1_380.0, 1_382.0, asked_ms=1_390.0, first_sentence_ms=2_800.0),
        ReplyTimings(4_000.0, 3_500.0, 3_510.0, before={WAITED: 900.0, TRANSCRIPT: 1_200.0, RETRIED: 480.0}),
    ],
    ids=["plain", "line", "tools", "trouble"],
)
def test_layers_add_up_to_what_the_caller_waited(reply: ReplyTimings) -> None:
    layers = turn_layers(TURN, reply, 5_000.0, 5_020.0)
    assert sum(layers.values()) == pytest.approx(4_020.0)
    assert set(layers) == set(LAYERS)
    assert min(layers.values()) >= 0


def test_what_is_no_hop_does_not_hide_in_it() -> None:
    trouble = ReplyTimings(4_000.0, 3_500.0, 3_510.0, before={WAITED: 900.0, TRANSCRIPT: 1_200.0, RETRIED: 480.0})
    layers = turn_layers(TURN, trouble, 5_000.0, 5_020.0)
    assert (layers[WAITED], layers[TRANSCRIPT], layers[RETRIED]) == (900.0, 1_200.0, 480.0)
    assert (layers[HOP], layers[STEP], layers[TOOLS], layers[HELD]) == (39.0, 10.0, 0.0, 20.0)
