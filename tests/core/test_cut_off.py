"""What is still to be said after a stream was lost."""

from core.conversation import Conversation, Utterance
from core.cut_off import CutOff, cut_off

SAID = "It left on Monday. It arrives on Friday. Anything else?"


def talk() -> Conversation:
    conversation = Conversation.begin("start", 0.0)
    conversation.hear(1, "Where is it?", 0.9, 1.0)
    return conversation


def said(conversation: Conversation, text: str, heard: str | None, *, whole: bool = True) -> Utterance:
    utterance = conversation.speak(1)
    utterance.said, utterance.whole = text, whole
    if heard is not None:
        conversation.heard(1, (1, utterance.part, 1), heard, interrupted=False, lost=heard != text)
    return utterance


def test_nothing_is_missing_of_what_was_heard_or_what_the_caller_has_cut() -> None:
    conversation = talk()
    assert cut_off(conversation.now) == CutOff()
    said(conversation, SAID, SAID)
    assert cut_off(conversation.now) == CutOff()
    utterance = said(conversation, SAID, None)
    conversation.heard(1, (1, utterance.part, 1), "It left", interrupted=True)
    assert cut_off(conversation.now) == CutOff()


def test_sentence_that_was_cut_in_its_midst_is_said_from_its_beginning() -> None:
    conversation = talk()
    said(conversation, SAID, "It left on Monday. It arrives")
    assert cut_off(conversation.now).line == "It arrives on Friday. Anything else?"


def test_all_of_it_was_heard_though_nobody_has_said_so() -> None:
    conversation = talk()
    said(conversation, SAID, "It left on  Monday. It arrives on Friday. Anything else?").lost = True
    assert cut_off(conversation.now) == CutOff()


def test_what_nobody_has_told_of_was_not_heard() -> None:
    conversation = talk()
    said(conversation, SAID, None)
    conversation.lose_unheard()
    assert cut_off(conversation.now).line == SAID


def test_line_is_known_while_it_is_still_being_made() -> None:
    conversation = talk()
    conversation.speak(1, "Goodbye. Have a nice day.")
    conversation.lose_unheard()
    assert cut_off(conversation.now).line == "Goodbye. Have a nice day."


def test_answer_that_was_still_being_made_goes_on_after_what_was_heard_of_it_and_of_its_beginning() -> None:
    conversation = talk()
    said(conversation, "It left on Monday. It arrives", "It left on Monday. It arr", whole=False)
    lost = cut_off(conversation.now)
    assert lost == CutOff("", True, ("It left on Monday.",), part=0)
    conversation.now.heard_before, conversation.now.heard_up_to = lost.after, lost.part
    assert cut_off(conversation.now) == lost, "lost again before it went on"
    said(conversation, "It arrives on Friday. Anything else?", "It arrives on Friday. Any", whole=False).lost = True
    assert cut_off(conversation.now).after == ("It left on Monday.", "It arrives on Friday.")


def test_what_is_said_aside_is_not_missed_and_takes_the_place_of_nothing() -> None:
    conversation = talk()
    said(conversation, SAID, "It left on Monday.")
    conversation.speak(2, "Sorry, we were cut off.", aside=True)
    conversation.lose_unheard()
    assert cut_off(conversation.now).line == "It arrives on Friday. Anything else?"
    conversation.speak(3, "It arrives on Friday. Anything else?")
    conversation.heard(1, (1, 0, 1), "It left", interrupted=False, lost=True)  # the first gateway's word comes late
    conversation.lose_unheard()
    assert cut_off(conversation.now).line == "It arrives on Friday. Anything else?", "and not the same twice"


def test_lines_that_were_lost_together_are_all_said() -> None:
    conversation = talk()
    said(conversation, "It left on Monday.", None)
    conversation.speak(1, "Please rate us.")
    said(conversation, "", None, whole=False)
    conversation.lose_unheard()
    assert cut_off(conversation.now) == CutOff("It left on Monday. Please rate us.", True, part=2)


def test_what_the_worker_knows_of_a_dead_gateway_counts_whether_it_comes_before_the_next_stream_or_after() -> None:
    for late in (False, True):
        conversation = talk()
        utterance = conversation.speak(1)
        utterance.made = "It left on Monday. It arrives"
        if late:
            conversation.lose_unheard()
        utterance.take_so_far("It left on Monday. It")
        assert utterance.heard == ("It left on Monday. It" if late else None)
        conversation.lose_unheard()
        assert conversation.now.heard == "It left on Monday. It"
        assert cut_off(conversation.now) == CutOff("", True, ("It left on Monday.",), part=0)
