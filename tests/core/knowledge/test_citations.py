"""Marks of citations, whatever pieces the text comes in."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.knowledge.citations import CitationFilter, places_cited

TEXT = "You have 30 days [1]. It costs 6.95 dollars. [2, 3] Is [that] all [4]? Bye."
PLAIN = "You have 30 days. It costs 6.95 dollars. Is [that] all? Bye."


def filtered(pieces: list[str]) -> tuple[str, list[int]]:
    marks = CitationFilter()
    text = "".join([*map(marks.feed, pieces), marks.finish()])
    return text, marks.cited


@given(st.lists(st.integers(0, len(TEXT)), max_size=12))
def test_marks_are_taken_out_and_kept_however_the_text_is_cut(cuts: list[int]) -> None:
    at = [0, *sorted(cuts), len(TEXT)]
    text, cited = filtered([TEXT[start:end] for start, end in pairwise(at)])
    assert (" ".join(text.split()), cited) == (PLAIN, [1, 2, 3, 4])


def test_sentence_is_not_held_back_for_the_mark_that_follows_it() -> None:
    marks = CitationFilter()
    assert marks.feed("You have 30 days. ") == "You have 30 days. "
    assert marks.feed("[1") == ""
    assert marks.feed("] It is free.") == " It is free."
    assert marks.cited == [1]


@pytest.mark.parametrize("text", ["Order [48213] has shipped.", "Press [1 or 2", "a [b] c", "[", "1]"])
def test_other_brackets_stay(text: str) -> None:
    assert filtered(list(text)) == (text, [])


def test_each_place_is_told_once_and_invented_numbers_never() -> None:
    assert places_cited([2, 1, 2, 9, 0], ["a.md", "b.md"]) == ("b.md", "a.md")
    assert places_cited([1], []) == ()
