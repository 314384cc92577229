"""Where a turn's time went, layer by layer, as the caller heard it."""

from core.contracts.call import ReplyTimings, TurnTimings

END_OF_TURN = "end_of_turn"  # last voiced frame -> the recogniser's end of turn
STEP = "step"  # finding the playbook's step
TOOLS = "tools"  # before the first word: the model asks for tools, and they run
HOP = "hop"  # end of turn at the gateway -> the reply's activity starts, without step and tools
MODEL = "model"  # activity starts -> the first sentence is whole
VOICE = "voice"  # first sentence -> first audio of it
GATEWAY = "gateway"  # first audio at the worker -> first frame sent to the carrier
LAYERS = (END_OF_TURN, HOP, STEP, TOOLS, MODEL, VOICE, GATEWAY)


def turn_layers(turn: TurnTimings, reply: ReplyTimings, first_frame_ms: float) -> dict[str, float]:
    """Layer -> ms. They add up to first frame minus end of speech.

    Stamps of gateway and worker are compared, so their clocks must agree to a few ms (NTP).
    """
    sentence_ms = reply.first_sentence_ms or reply.started_ms
    voice_ms = reply.voice_first_byte_ms or sentence_ms
    return {
        END_OF_TURN: turn.decided_ms - turn.speech_ended_ms,
        HOP: reply.started_ms - turn.decided_ms - reply.step_ms - reply.tools_ms,
        STEP: reply.step_ms,
        TOOLS: reply.tools_ms,
        MODEL: sentence_ms - reply.started_ms,
        VOICE: voice_ms - sentence_ms,
        GATEWAY: first_frame_ms - voice_ms,
    }
