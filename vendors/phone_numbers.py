"""Phone numbers as people type them into a CRM, compared with a caller's."""

import re

import phonenumbers

_HIDDEN = {"+266696687", "+7378742833", "+2562533", "+8566696", "+86282452253"}
"""What carriers put in place of a number that is withheld: ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN, UNAVAILABLE, as the
keys of a phone spell them. They are many people's."""


def known_number(number: str) -> str:
    """The caller's number; "" if it is withheld, or no number that somebody can have."""
    parsed = None if number in _HIDDEN else _parse(number, None)
    return number if parsed is not None and phonenumbers.is_possible_number(parsed) else ""


def national_digits(number: str) -> str:
    """The digits of an E.164 number without its country code; "" if it is not known."""
    parsed = _parse(known_number(number), None)
    return phonenumbers.national_significant_number(parsed) if parsed else ""


def written_in_groups(number: str) -> str:
    """The same digits as people of its country group them, "202 555 0161"; "" if it is not known."""
    parsed = _parse(known_number(number), None)
    if parsed is None:
        return ""
    national = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    return " ".join(re.findall(r"\d+", national))


def same_number(written: object, caller_number: str) -> bool:
    """Whether what is written in a record is the caller's number (E.164).

    A number written without a country code is read as one of the caller's country. A withheld one is nobody's.
    """
    caller = _parse(known_number(caller_number), None)
    if caller is None or not isinstance(written, str):
        return False
    found = _parse(written, phonenumbers.region_code_for_number(caller) or phonenumbers.UNKNOWN_REGION)
    if found is None:
        return False
    return (found.country_code, phonenumbers.national_significant_number(found)) == (
        caller.country_code,
        phonenumbers.national_significant_number(caller),
    )


def _parse(number: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
