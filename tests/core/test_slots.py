import pytest

from core.slots import Reading, SlotRules, SlotType, read_value


@pytest.mark.parametrize(
    ("kind", "said", "value"),
    [
        ("text", "  a  red tent ", "a red tent"),
        ("number", "1,250", "1250"),
        ("number", "$99.50", "99.5"),
        ("date", "2026-03-02", "2026-03-02"),
        ("time", "2:30 p.m.", "14:30"),
        ("time", "12 am", "00:00"),
        ("time", "14:05", "14:05"),
        ("phone", "+1 (202) 555-0123", "+12025550123"),
        ("email", "Ann @ Example.com", "ann@example.com"),
        ("postcode", "sw1a 1aa", "SW1A 1AA"),
        ("yes_no", "Yes", "yes"),
        ("yes_no", "false", "no"),
    ],
)
def test_values_are_kept_in_one_form(kind: str, said: str, value: str) -> None:
    assert read_value(SlotRules(SlotType(kind)), said) == Reading(value)


@pytest.mark.parametrize(
    ("rules", "said", "problem"),
    [
        (SlotRules(SlotType.NUMBER), "many", "is no number"),
        (SlotRules(SlotType.NUMBER), "nan", "is no number"),
        (SlotRules(SlotType.NUMBER, min=1, max=10), "11", "is above 10"),
        (SlotRules(SlotType.NUMBER, min=2.5), "1", "is below 2.5"),
        (SlotRules(SlotType.DATE), "2026-02-30", "is no date like 2026-03-31"),
        (SlotRules(SlotType.DATE, min="2026-01-01"), "2025-12-31", "is below 2026-01-01"),
        (SlotRules(SlotType.TIME), "25:00", "is no time like 14:30"),
        (SlotRules(SlotType.TIME, max="17:00"), "6 pm", "is above 17:00"),
        (SlotRules(SlotType.PHONE), "12", "is no phone number"),
        (SlotRules(SlotType.EMAIL), "ann at home", "is no e-mail address"),
        (SlotRules(SlotType.CHOICE, choices=("red", "blue")), "green", "is no known choice: red, blue"),
        (SlotRules(SlotType.YES_NO), "maybe", "is no yes or no"),
        (SlotRules(SlotType.TEXT, pattern="[0-9]{5}"), "4821", "does not have the right form"),
        (SlotRules(SlotType.TEXT), " ", "is empty"),
        (SlotRules(SlotType.TEXT), "x" * 301, "is longer than 300 characters"),
    ],
)
def test_what_cannot_be_right_is_told(rules: SlotRules, said: str, problem: str) -> None:
    assert read_value(rules, said).problem == problem


def test_a_pattern_takes_what_is_spoken_in_groups_and_any_case() -> None:
    assert read_value(SlotRules(SlotType.TEXT, pattern="[0-9]{5}"), "4 8 2 1 3").value == "48213"
    assert read_value(SlotRules(SlotType.TEXT, pattern="[A-Z]{2}[0-9]"), "a b 7").value == "AB7"
