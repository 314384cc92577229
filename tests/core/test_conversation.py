"""What a call remembers."""

from core.conversation import RECENT_EXCHANGES, Conversation, Step, Usage, sum_usage


def talk() -> Conversation:
    conversation = Conversation.begin("start", 0.0)
    conversation.hear(1, "Where is it?", 0.9, 1.0)
    return conversation


def test_reply_that_is_still_playing_counts_as_heard_in_the_prompt_but_not_in_the_record() -> None:
    conversation = talk()
    conversation.speak(1).said = "On its way."
    assert conversation.now.exchange().assistant == "On its way."
    assert conversation.now.record().heard == ""
    assert conversation.now.outstanding


def test_report_replaces_what_was_said_by_what_was_heard() -> None:
    conversation = talk()
    conversation.speak(1).said = "On its way to you."
    turn = conversation.heard(1, (1, 0, 1), "On its", interrupted=True)
    assert turn is conversation.now
    assert conversation.now.exchange().assistant == "On its"
    assert conversation.now.interrupted
    assert not conversation.now.outstanding


def test_report_of_an_earlier_attempt_does_not_undo_a_later_one() -> None:
    conversation = talk()
    utterance = conversation.speak(1)
    utterance.attempt = 2
    assert conversation.heard(1, (1, 0, 2), "All of it.", interrupted=False)
    assert conversation.heard(1, (1, 0, 1), "Half", interrupted=False) is None
    assert conversation.now.heard == "All of it."


def test_parts_of_a_turn_are_told_together() -> None:
    conversation = talk()
    conversation.speak(1).said = "Let me look."
    second = conversation.speak(1)
    second.said = "Found."
    assert second.part == 1
    assert conversation.now.said == "Let me look. Found."


def test_speech_that_went_down_with_its_gateway_was_not_heard() -> None:
    conversation = talk()
    conversation.speak(1).said = "On its way."
    assert conversation.lose_unheard()
    assert not conversation.lose_unheard()
    assert conversation.now.exchange().assistant == ""


def test_turn_number_that_is_taken_goes_on_with_its_turn() -> None:
    conversation = talk()
    conversation.hear(1, "And when?", 0.5, 2.0)
    assert conversation.now.caller == "Where is it? And when?"
    assert conversation.now.confidence == 0.5


def test_step_stays_for_the_turns_that_follow() -> None:
    conversation = talk()
    conversation.find(Step("returns", 0.8, "lexical"))
    conversation.hear(2, "Yes", 0.9, 2.0)
    conversation.find(Step(None, 0.0, "kept"))
    assert conversation.now.step == "returns"


def test_prompt_remembers_the_last_exchanges_only() -> None:
    conversation = Conversation.begin("start", 0.0)
    for number in range(1, 30):
        conversation.hear(number, f"turn {number}", 0.9, 0.0)
    recent = conversation.recent()
    assert len(recent) == RECENT_EXCHANGES
    assert recent[-1].caller == "turn 28"
    assert len(conversation.records()) == 30


def test_usage_adds_up() -> None:
    assert sum_usage([Usage("m", 1, 2, 3), Usage("", 10, 20, 30)]) == Usage("m", 11, 22, 33)
