import pytest

from vendors.phone_numbers import known_number, national_digits, same_number, written_in_groups


@pytest.mark.parametrize("written", ["+12025550161", "(202) 555-0161", "202.555.0161", "1 202 555 0161"])
def test_one_number_is_the_same_however_it_is_written(written: str) -> None:
    assert same_number(written, "+12025550161")


@pytest.mark.parametrize("written", ["030 123456", "0049 30 123456", "+49 (0)30 123456"])
def test_a_number_without_its_countrys_code_is_one_of_the_callers_country(written: str) -> None:
    assert same_number(written, "+4930123456")


@pytest.mark.parametrize("written", [None, "", "ask Jamie", 2025550161, "+442025550161", "202 555 0162"])
def test_what_is_another_number_or_none_is_not_the_callers(written: object) -> None:
    assert not same_number(written, "+12025550161")


@pytest.mark.parametrize(
    "caller", ["", "anonymous", "+", "Restricted", "+266696687", "+7378742833", "+2562533", "+8566696", "+86282452253"]
)
def test_a_hidden_caller_is_nobody(caller: str) -> None:
    assert not same_number("", caller)
    assert not same_number(caller, caller)
    assert (known_number(caller), national_digits(caller), written_in_groups(caller)) == ("", "", "")


def test_digits_are_told_alone_and_in_groups() -> None:
    assert known_number("+12025550161") == "+12025550161"
    assert national_digits("+12025550161") == "2025550161"
    assert written_in_groups("+12025550161") == "202 555 0161"
