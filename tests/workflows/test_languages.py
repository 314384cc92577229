"""Callers who speak another language than the call began in."""

from dataclasses import replace

from core.contracts import names
from core.contracts.call import Attached, Say
from core.keypad import KeyAction, Keyed
from core.outcome import Disposition
from tests.world.playbook import bilingual_orders
from tests.world.world import CallWorld, ScriptedCall


async def says(call: ScriptedCall, text: str, *languages: str) -> str:
    await call.send(replace(call.words(text), languages=languages))
    return await call.hears()


def prompted_language(world: CallWorld) -> str:
    return world.reasoner.prompts[-1].system.partition("The language of the call is ")[2][:4]


async def test_two_turns_in_spanish_take_the_whole_call_over(world: CallWorld) -> None:
    call = await world.answered_call(bilingual_orders())
    await says(call, "Hola, buenos días", "es")
    assert prompted_language(world) == "'en'"
    await says(call, "Mi pedido", "es")
    assert prompted_language(world) == "'es'"
    assert world.voice.settings[-1].voice_id == "voz"
    assert world.voice.settings[-1].language == "es"
    assert world.playback.listens[-1].language == "es"
    assert (await call.state()).language == "es"
    await call.is_silent()
    assert await call.hears() == "¿Sigue ahí?"
    await call.is_silent()
    assert await call.hears() == "Adiós."
    assert await call.disposition() is Disposition.CALLER_SILENT


async def test_a_caller_who_asks_for_spanish_is_answered_in_it_at_once(world: CallWorld) -> None:
    call = await world.answered_call(bilingual_orders())
    await says(call, "Spanish please.", "en")
    assert prompted_language(world) == "'es'"


async def test_a_key_chooses_the_language_and_brings_the_greeting_again(world: CallWorld) -> None:
    call = await world.answered_call(bilingual_orders())
    assert [key.language for key in world.playback.listens[0].keypad.keys] == ["es"]
    turn = call.words("[key 2: wants to go on in es]", 1.0)
    await call.send(replace(turn, keyed=Keyed(action=KeyAction.LANGUAGE, language="es")))
    assert await call.hears() == "Soy un asistente de IA. ¿Cómo puedo ayudarle?"
    assert world.reasoner.prompts == []


async def test_in_another_language_the_words_of_the_examples_find_no_step(world: CallWorld) -> None:
    call = await world.answered_call(bilingual_orders())
    world.reasoner.steps.extend(["returns", "returns"])
    await says(call, "Spanish please, I want to send something back.", "en")
    turn = (await call.transcript())[-1]
    assert (turn.step, turn.step_method) == ("returns", "model")


async def test_a_mixed_speaker_stays_in_the_language_of_the_call(world: CallWorld) -> None:
    call = await world.answered_call(bilingual_orders())
    for text, heard in (("Where is mi pedido?", ("en", "es")), ("Sí", ("es",)), ("Yes, my order", ("en",))):
        await says(call, text, *heard)
        assert prompted_language(world) == "'en'"


async def test_a_call_that_comes_back_is_listened_to_in_its_language(world: CallWorld) -> None:
    call = await world.answered_call(bilingual_orders())
    await says(call, "Spanish please.", "en")
    await call.lose_stream()
    answer: Attached = await call.attach()
    assert (answer.turn_taking.language, answer.turn_taking.languages) == ("es", ("en", "es"))
    assert await call.hears() == "Perdone, se ha cortado."


async def test_an_unsure_turn_is_transcribed_again_in_the_language_of_the_call(world: CallWorld) -> None:
    call = await world.answered_call(bilingual_orders())
    await says(call, "Spanish please.", "en")
    world.recogniser.text = "¿Dónde está mi pedido?"
    await call.caller_says("Dónde ésta mi perdido", confidence=0.2)
    await call.hears()
    assert world.recogniser.languages == ["es"]


async def test_a_playbook_of_one_language_heeds_no_other(world: CallWorld) -> None:
    call = await world.answered_call()
    await says(call, "Hola, buenos días", "es")
    await says(call, "Spanish please", "es")
    assert prompted_language(world) == "'en'"
    await call.handle.execute_update(names.SAY, Say("Hello."))
    assert await call.hears() == "Hello."


async def test_answers_made_ahead_count_towards_the_language_once_their_turn_has_ended(world: CallWorld) -> None:
    call = await world.answered_call(bilingual_orders())
    turn = await call.probably_says("Hola", "es")
    await call.next_opened(turn=1)
    await call.has_said(turn)
    assert await call.hears() == "You said: Hola"
    turn = await call.probably_says("Mi pedido", "es")
    await call.has_said(turn)
    assert await call.hears() == "You said: Mi pedido"
    assert prompted_language(world) == "'es'"
    assert len(world.reasoner.prompts) == 2  # nothing was made in a language that was not settled


async def test_a_withdrawn_turn_tells_no_language(world: CallWorld) -> None:
    call = await world.answered_call(bilingual_orders())
    call.reports = False
    await call.probably_says("Hola", "es")
    (await call.next_reply()).close()
    await call.goes_on()
    call.reports = True
    await says(call, "Mi pedido", "es")
    assert (await call.state()).language == "en"
