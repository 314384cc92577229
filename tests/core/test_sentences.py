from hypothesis import example, given
from hypothesis import strategies as st

from core.sentences import LONG_CLAUSE, TOO_LONG, SentenceCutter, spoken


def cut(*pieces: str) -> list[str]:
    cutter = SentenceCutter()
    sentences = [sentence for piece in pieces for sentence in cutter.feed(piece)]
    return sentences + cutter.finish()


def letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def test_question_and_exclamation_marks_end_a_sentence_with_their_own_piece() -> None:
    assert SentenceCutter().feed("Really?") == ["Really?"]
    assert SentenceCutter().feed("Of course!") == ["Of course!"]


def test_a_dot_after_a_plain_word_ends_the_sentence_with_its_own_piece() -> None:
    cutter = SentenceCutter()
    assert cutter.feed("Your order has shipped") == []
    assert cutter.feed(".") == ["Your order has shipped."]


def test_a_dot_after_number_capitals_or_abbreviation_waits_for_what_follows() -> None:
    for start in ("It is order 48213", "It is 3", "Ask the USA", "Please see Mr", "At 5 p.m"):
        assert SentenceCutter().feed(start + ".") == [], start
    assert cut("It is order 48213.", " It shipped.") == ["It is order 48213.", "It shipped."]
    assert cut("It costs 3.", "50 dollars.") == ["It costs 3.50 dollars."]


def test_abbreviations_times_and_addresses_are_no_ends() -> None:
    for sentence in (
        "Mr. Smith and Dr. Jones are here.",
        "It is No. 5 in the list.",
        "Take e.g. the blue one.",
        "Come at 5 p.m. on Friday.",
        "See https://shop.example/orders?id=7 for more.",
        "Write to help@shop.example today.",
        "It weighs 2.5 pounds.",
    ):
        assert cut(sentence) == [sentence]
        assert cut(*sentence) == [sentence]


def test_a_piece_that_ends_within_a_bare_address_ends_a_sentence() -> None:
    assert cut("Go to example.com now.") == ["Go to example.com now."]
    assert cut("Go to example.", "com now.") == ["Go to example.", "com now."]


def test_an_abbreviation_may_end_a_sentence_before_a_capital() -> None:
    assert cut("We close at 5 p.m. Please call again.") == ["We close at 5 p.m.", "Please call again."]
    assert cut("No. It has not shipped.") == ["No.", "It has not shipped."]


def test_what_trails_an_end_is_not_spoken() -> None:
    assert cut('He said "yes." Then', " he left...", " Really?!") == ["He said yes.", "Then he left.", "Really?"]


def test_a_very_long_clause_is_cut_at_a_comma() -> None:
    clause = "and this goes on " * 13
    assert len(clause) > LONG_CLAUSE
    first, second = cut(f"{clause.strip()}, but it ends")
    assert first.endswith("goes on,")
    assert second == "but it ends"


def test_text_without_any_mark_is_cut_at_a_gap() -> None:
    first, *_ = cut("word " * 200)
    assert TOO_LONG - 5 <= len(first) <= TOO_LONG + 5


def test_markdown_brackets_and_emoji_are_cleaned() -> None:
    assert spoken("**Great** 👍️ (really): order_status is `#5`") == "Great really: order status is number 5"
    assert spoken("See [our site](https://shop.example).") == "See our site."
    assert spoken("🎉 ***") == ""
    assert cut("1. First\n2. Second\n- third") == ["First", "Second", "third"]
    assert spoken("हिन्दी é 20°") == "हिन्दी é 20°"


def test_the_rest_comes_when_the_text_is_whole() -> None:
    cutter = SentenceCutter()
    assert cutter.feed("Yes. One mom") == ["Yes."]
    assert cutter.finish() == ["One mom"]
    assert cutter.finish() == []


FRAGMENTS = (
    "Hello there. ",
    "Yes! ",
    "Why? ",
    "Mr. Smith ",
    "No. 5 ",
    "No. ",
    "48213. ",
    "3.50 ",
    "p.m. ",
    "e.g. ",
    "and, ",
    "well; ",
    "USA. ",
    "\n",
    "“quoted.” ",
    "(aside) ",
    "... ",
    "order ",
    "is late ",
    "- ",
    "1. ",
    "I. ",
    "…",
    "émigré. ",
    "It's ",
    "x",
)
SENTENCE_TEXT = st.lists(st.sampled_from(FRAGMENTS), max_size=150).map("".join)


@given(SENTENCE_TEXT, st.lists(st.integers(1, 40)))
@example("Well... I see.", [5, 1, 1])
def test_any_cutting_into_pieces_gives_the_same_sentences(text: str, sizes: list[int]) -> None:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(text[at : at + size])
        at += size
    assert cut(*pieces, text[at:]) == cut(text)


# List numbers are dropped, "#5" is spoken as "number 5", links lose their address.
PLAIN_TEXT = st.text(st.characters(exclude_characters="[]()#", exclude_categories=["Cs", "Nd", "No"]), max_size=30)


@given(st.lists(PLAIN_TEXT, max_size=30))
def test_no_text_is_lost_however_it_is_cut(pieces: list[str]) -> None:
    assert letters("".join(cut(*pieces))) == letters("".join(pieces))
