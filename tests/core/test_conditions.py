import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.conditions import BadCondition, Value, parse_condition

KNOWN = {
    "bill": Value("120"),
    "owner": Value("yes"),
    "day": Value("2026-03-02", confirmed=True),
    "part": Value("Morning"),
    "tool.find.status": Value("shipped"),
    "fact.angry": Value("no"),
}


def holds(text: str) -> bool:
    return parse_condition(text).holds(KNOWN.get)


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ("bill >= 100", True),
        ("bill < 20", False),  # numbers, not letters
        ("bill != 120", False),
        ("owner", True),
        ("not owner", False),
        ("fact.angry", False),
        ("day is confirmed and bill is known", True),
        ("bill is confirmed", False),
        ("nothing is missing", True),
        ("owner is not missing", True),
        ("part == morning", True),
        ("part in (afternoon, 'morning')", True),
        ("bill in (100, 120)", True),
        ('tool.find.status == "shipped"', True),
        ("day > 2026-01-31", True),
        ("owner or bill > 500 and part == evening", True),  # and binds closer
        ("(owner or bill > 500) and part == evening", False),
        ("not (owner and fact.angry)", True),
    ],
)
def test_conditions_say_what_they_read_like(text: str, true: bool) -> None:
    assert holds(text) is true


def test_what_is_not_known_makes_every_comparison_false() -> None:
    assert [holds(f"age {sign} 5") for sign in ("==", "!=", "<", ">=")] == [False] * 4
    assert not holds("age")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("bill >", "ends where a value has to come"),
        ("bill > > 3", "a value has to stand where '>'"),
        ("bill 3", "'3' is one too many"),
        ("(owner", "')' is missing"),
        ("owner and", "ends where a name"),
        ("owner is happy", "known, missing or confirmed, not 'happy'"),
        ("__import__('os')", "one too many"),
        ("a; b", "nobody can read"),
        ("5 < bill", "a name has to stand where '5'"),
        ("not " * 30 + "owner", "nested too deeply"),
        ("a" * 400, "longer than 300"),
    ],
)
def test_what_is_no_condition_is_refused_in_plain_words(text: str, why: str) -> None:
    with pytest.raises(BadCondition, match=None) as caught:
        parse_condition(text)
    assert why in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        condition = parse_condition(text)
    except BadCondition:
        return
    assert condition.holds(lambda _: None) in (True, False)
