"""What has to be said is said to its end: a person who speaks at once does not cut it off."""

from core.playbook import Playbook, parse_playbook
from core.timings import WAITED
from tests.world.playbook import ORDERS
from tests.world.world import CallWorld, ScriptedCall

GREETING = "I am an AI assistant. How can I help?"
NOTICE = "Returns are free. Fees may apply to gifts."


def with_notice() -> Playbook:
    canned = f"    canned: [{{examples: ['How long may I keep it?'], answer: '{NOTICE}'}}]\n"
    goal = "    goal: Take a return.\n"
    return parse_playbook(f"{ORDERS.replace(goal, goal + canned)}\nprotected_lines: [Fees may apply to gifts.]\n")


async def greeted_while_speaking(world: CallWorld, text: str) -> ScriptedCall:
    """A call whose caller has spoken before the greeting was over."""
    call = await world.call()
    call.reports = False
    await call.attach()
    greeting = await call.next_reply()
    await call.caller_says(text)
    call.reports = True
    assert (await call.state()).turns == 0
    assert world.playback.opened == [greeting.key]
    await call.report(greeting)
    return call


async def test_a_caller_who_speaks_at_once_is_answered_after_the_disclosure(world: CallWorld) -> None:
    call = await greeted_while_speaking(world, "Where is my order?")
    reply = await call.next_reply()
    assert reply.text == "You said: Where is my order?"
    assert reply.timings is not None
    assert reply.timings.before[WAITED] > 0
    turns = await call.transcript()
    assert [(turn.heard, turn.interrupted) for turn in turns[:1]] == [(GREETING, False)]


async def test_a_yes_as_the_greeting_ends_answers_its_question(world: CallWorld) -> None:
    call = await greeted_while_speaking(world, "Yes.")
    assert await call.hears() == "You said: Yes."


async def test_a_hello_over_what_is_not_protected_any_more_is_answered(world: CallWorld) -> None:
    call = await world.call()
    call.reports = False
    await call.attach()
    await call.report(await call.next_reply(), heard="I am an AI assistant. How")
    call.reports = True
    assert await call.asks("Hello?") == "You said: Hello?"


async def test_without_a_disclosure_to_protect_newer_words_come_first(world: CallWorld) -> None:
    playbook = parse_playbook(ORDERS + "\nprotect_disclosure: false\n")
    call = await world.call(playbook=playbook)
    call.reports = False
    await call.attach()
    await call.next_reply()
    await call.caller_says("Where is my order?")
    assert await call.hears() == "You said: Where is my order?"


async def test_a_protected_sentence_of_an_answer_is_not_overtaken_either(world: CallWorld) -> None:
    call = await world.answered_call(with_notice())
    call.reports = False
    await call.caller_says("How long may I keep it?")
    notice = await call.next_reply()
    await call.caller_says("Where is my order?")
    call.reports = True
    assert (await call.state()).turns == 1
    await call.report(notice)
    assert await call.hears() == "You said: Where is my order?"
    assert [turn.heard for turn in await call.transcript()][1] == NOTICE


async def test_an_operator_can_end_the_call_before_it_was_heard(world: CallWorld) -> None:
    call = await world.call()
    call.reports = False
    await call.attach()
    await call.next_reply()
    await call.lose_stream(stopped=True)
    await call.hangs_up()
    assert (await call.result()).turns == 0
