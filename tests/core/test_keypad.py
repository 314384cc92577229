from hypothesis import given
from hypothesis import strategies as st

from core.keypad import DigitField, Key, KeyAction, KeyCollector, Keyed, KeyEvent, Keypad, KeysEntered, KeysIgnored

ORDER = DigitField("order_number", least=5, most=8, timeout_ms=3_000)
CARD = DigitField("card_number", least=12, most=19, sensitive=True)
PERSON = Key("0", KeyAction.TRANSFER)
GAP_MS = 300


def pressed(collector: KeyCollector, keys: str, from_ms: float = 0.0) -> list[KeyEvent]:
    """All that comes of these keys."""
    return [event for place, key in enumerate(keys) for event in collector.press(key, from_ms + GAP_MS * place)]


def expecting(*keys: Key, digits: DigitField | None = ORDER) -> KeyCollector:
    collector = KeyCollector()
    collector.expect(Keypad(digits, keys))
    return collector


def entered(events: list[KeyEvent]) -> KeysEntered:
    (event,) = events
    assert isinstance(event, KeysEntered)
    return event


def test_digits_end_with_the_terminator() -> None:
    event = entered(pressed(expecting(), "48213#"))
    assert (event.digits, event.text) == ("48213", "48213")
    assert event.keyed == Keyed(field="order_number", count=5)


def test_digits_end_when_the_field_is_full() -> None:
    collector = expecting()
    assert pressed(collector, "1234567") == []
    assert entered(collector.press("8", 3_000)).digits == "12345678"


def test_digits_end_when_nothing_more_comes() -> None:
    collector = expecting()
    assert pressed(collector, "48213") == []
    last_ms = 4 * GAP_MS
    assert collector.due_ms == last_ms + 3_000
    assert collector.pass_time(last_ms + 2_999) == []
    assert entered(collector.pass_time(last_ms + 3_000)).digits == "48213"
    assert not collector.entering


def test_too_few_digits_are_told_as_incomplete() -> None:
    event = entered(pressed(expecting(), "482#"))
    assert not event.keyed.complete
    assert event.text == "482"


def test_sensitive_digits_are_in_no_text() -> None:
    event = entered(pressed(expecting(digits=CARD), "4111111111111111#"))
    assert event.digits == "4111111111111111"
    assert event.text == "[card_number] 16 digits"
    assert "4111" not in repr(event.keyed)
    few = entered(pressed(expecting(digits=CARD), "4#"))
    assert few.text == "[card_number incomplete: 1 digit]"


def test_a_key_with_an_action_acts_at_once() -> None:
    event = entered(pressed(expecting(PERSON, digits=None), "0"))
    assert event.keyed.action is KeyAction.TRANSFER
    assert event.text == "[key 0: asks for a person]"


def test_a_digit_of_an_entry_is_no_action_unless_nothing_follows_it() -> None:
    assert entered(pressed(expecting(PERSON), "048210#")).digits == "048210"
    alone = expecting(PERSON)
    assert pressed(alone, "0") == []
    assert entered(alone.pass_time(3_000)).keyed.action is KeyAction.TRANSFER
    assert entered(pressed(expecting(PERSON), "0#")).keyed.action is KeyAction.TRANSFER


def test_keys_that_nothing_asked_for_are_ignored_and_told_once() -> None:
    assert pressed(expecting(digits=None), "12345#") == [KeysIgnored()]
    assert pressed(KeyCollector(), "1") == [KeysIgnored()]


def test_an_endless_stream_of_digits_makes_one_turn() -> None:
    collector = expecting(PERSON)
    events = pressed(collector, "7" * 500)
    collector.expect(Keypad(ORDER, (PERSON,)))  # the answer begins, the key is still down
    events += pressed(collector, "0" * 500, 500 * GAP_MS)
    assert [type(event) for event in events] == [KeysEntered, KeysIgnored]
    after_a_pause_ms = 1_000 * GAP_MS + 2_000
    assert entered(pressed(collector, "48213#", after_a_pause_ms)).digits == "48213"


def test_one_reply_allows_one_entry() -> None:
    collector = expecting()
    pressed(collector, "48213#")
    assert pressed(collector, "48213#", 60_000) == [KeysIgnored()]
    collector.expect(Keypad(ORDER))
    assert entered(pressed(collector, "48214#", 120_000)).digits == "48214"


def test_an_entry_under_way_goes_on_by_the_rules_it_began_with() -> None:
    collector = expecting(digits=CARD)
    pressed(collector, "4111")
    collector.expect(Keypad(ORDER))
    event = entered(pressed(collector, "111111111111#", 4 * GAP_MS))
    assert (event.keyed.field, event.keyed.sensitive) == ("card_number", True)


def test_stars_within_an_entry_neither_count_nor_prolong_it() -> None:
    collector = expecting()
    pressed(collector, "4821")
    due_ms = collector.due_ms
    assert pressed(collector, "****", 4 * GAP_MS) == []
    assert collector.due_ms == due_ms


@given(st.text("0123456789*#", max_size=200), st.integers(0, 200))
def test_whatever_is_pressed_no_reply_gets_more_than_one_turn(keys: str, expect_at: int) -> None:
    collector = expecting(PERSON, Key("1", KeyAction.CONSENT))
    turns = [event for event in pressed(collector, keys[:expect_at]) if isinstance(event, KeysEntered)]
    assert len(turns) <= 1
    assert all(len(turn.digits) <= ORDER.most for turn in turns)
