"""Sensitive digits in a tool call: filled in late, masked in all that comes back."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from activities.kept_digits import FilledIn, fill_in
from activities.key_notes import key_notes, shown_arguments
from core.keypad import DigitField, Key, KeyAction, Keypad
from core.playbook import parse_playbook
from core.ports.errors import VendorError
from tests.world.fakes import FakePlaybackLine
from tests.world.playbook import ORDERS, keyed_orders

CARD = "4111111111111111"
URL = "http://gateway/digits"


async def filled(arguments: dict[str, Any], url: str = URL) -> FilledIn:
    playback = FakePlaybackLine()
    playback.digits[URL, "card_number"] = CARD
    return await fill_in(playback, url, arguments, {"card_number", "pin"})


async def test_a_reference_is_filled_in_and_nothing_else() -> None:
    found = await filled({"card_number": "[card_number]", "amount": 12, "note": "[card_number] it is"})
    assert found.arguments == {"card_number": CARD, "amount": 12, "note": "[card_number] it is"}
    assert found.missing == ()
    assert CARD not in repr(found)


async def test_digits_that_the_gateway_does_not_have_are_missing() -> None:
    assert (await filled({"pin": "[pin]"})).missing == ("pin",)
    assert (await filled({"card_number": "[card_number]"}, url="")).missing == ("card_number",)


async def test_what_an_answer_says_of_the_digits_is_masked_however_it_is_written() -> None:
    found = await filled({"card_number": "[card_number]"})
    for written in (CARD, "4111 1111 1111 1111", "4111-1111-1111-1111", "4.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1"):
        assert found.masked(f'{{"card": "{written}"}}') == '{"card": "[card_number]"}'
    assert found.masked("ends in 1111") == "ends in 1111"


async def test_a_failure_that_names_the_digits_is_masked() -> None:
    found = await filled({"card_number": "[card_number]"})
    error = found.masked_error(VendorError("crm", "unavailable", f"no luck with {CARD}", curable=True))
    assert str(error) == "crm: no luck with [card_number]"
    assert (error.kind, error.curable) == ("unavailable", True)


@given(st.text("0123456789 -", max_size=40), st.text("0123456789", min_size=4, max_size=19), st.text("0123456789 -"))
def test_no_masked_text_holds_the_digits(before: str, digits: str, after: str) -> None:
    filled_in = FilledIn({}, (), {"pin": digits})
    masked = filled_in.masked(f"{before}{digits}{after}")
    assert digits not in masked.replace(" ", "").replace("-", "")


def test_the_model_is_shown_the_reference_in_place_of_the_digits() -> None:
    playbook = keyed_orders()
    arguments = {
        "type": "object",
        "properties": {"order_number": {"type": "string", "pattern": "^[0-9]+$", "description": "which"}, "day": {}},
    }
    shown = shown_arguments(playbook, arguments)
    assert shown["properties"]["order_number"] == {"type": "string", "enum": ["[order_number]"], "description": "which"}
    assert shown["properties"]["day"] == {}
    assert shown_arguments(parse_playbook(ORDERS), arguments) is arguments


def test_the_model_is_told_which_keys_may_be_pressed() -> None:
    card = DigitField("card_number", least=12, most=19, sensitive=True)
    notes = key_notes(Keypad(card, (Key("0", KeyAction.TRANSFER),)))
    assert "card_number (12 to 19 digits, then the hash key)" in notes
    assert "[card_number] stands for them" in notes
    assert "Key 0 connects the caller to a person." in notes
    assert key_notes(Keypad()) == ""
