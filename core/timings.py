"""Where a turn's time went, layer by layer, as the caller heard it."""

from itertools import pairwise

from core.contracts.call import ReplyTimings, TurnTimings

END_OF_TURN = "end_of_turn"  # last voiced frame -> the recogniser's end of turn; of an answer made ahead, its eager one
HOP = "hop"  # through Temporal: end of turn at the gateway -> finding the step begins; found -> the activity starts
WAITED = "waited"  # the turn waits for what the workflow is at: a greeting that is said to its end, an older answer
TRANSCRIPT = "transcript"  # the turn's audio is transcribed again
RETRIED = "retried"  # attempts at the answer that failed before anything was heard; after tools they count as TOOLS
STEP = "step"  # finding the playbook's step
TOOLS = "tools"  # before the first word: the model asks for tools, and they run
MODEL = "model"  # the activity starts -> the model's first token
SENTENCE = "sentence"  # first token -> the first sentence is whole
VOICE = "voice"  # first sentence -> first audio of it
GATEWAY = "gateway"  # first audio at the worker -> at the gateway
HELD = "held"  # of an answer made ahead: its first audio waits at the gateway for the end of the turn
LAYERS = (END_OF_TURN, WAITED, TRANSCRIPT, HOP, STEP, RETRIED, TOOLS, MODEL, SENTENCE, VOICE, GATEWAY, HELD)


def turn_layers(turn: TurnTimings, reply: ReplyTimings, arrived_ms: float, first_frame_ms: float) -> dict[str, float]:
    """Layer -> ms, each from a stamp to the next, so that they add up to first frame minus end of speech.

    Stamps of gateway and workers are compared, so their clocks must agree to a few ms (NTP).

    Args:
        arrived_ms: first audio at the gateway.
        first_frame_ms: the same sent to the carrier.
    """
    step_from_ms = _known(reply.step_from_ms, turn.decided_ms)
    step_to_ms = _known(reply.step_to_ms, step_from_ms)
    asked_ms = _known(reply.asked_ms, reply.started_ms)
    sentence_ms = _known(reply.first_sentence_ms, reply.started_ms)
    stamps = (
        (END_OF_TURN, turn.speech_ended_ms),
        (HOP, turn.decided_ms),
        (STEP, step_from_ms),
        (HOP, step_to_ms),
        (TOOLS, asked_ms),
        (MODEL, reply.started_ms),
        (SENTENCE, _known(reply.model_first_token_ms, sentence_ms)),
        (VOICE, sentence_ms),
        (GATEWAY, _known(reply.voice_first_byte_ms, sentence_ms)),
        (HELD, arrived_ms),
        ("", first_frame_ms),
    )
    layers = dict.fromkeys(LAYERS, 0.0)
    for (layer, begins_ms), (_, ends_ms) in pairwise(stamps):
        layers[layer] += ends_ms - begins_ms
    for layer, ms in reply.before.items():  # told as lengths by the workflow, whose own way between them is the hop
        layers[layer] += ms
        layers[HOP] -= ms
    return layers


def _known(stamp_ms: float | None, otherwise_ms: float) -> float:
    """What did not happen took no time."""
    return otherwise_ms if stamp_ms is None else stamp_ms
