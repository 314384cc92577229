"""From a list's records to contacts: which column is the number, what it is in E.164, which consent goes with it."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType, ValidationResult

from core.contact_zones import UnknownZone, zones_of
from core.list_records import BadList, Fault, FaultKind, ListReader, Record
from core.may_call import ConsentOnRecord

MOST_VALUE_CHARS: Final = 500
MOST_VARIABLES: Final = 200
_NUMBER_NAMES: Final = frozenset(
    {"number", "phone", "phone_number", "telephone", "telephone_number", "tel", "mobile", "mobile_number", "cell"}
    | {"cell_phone", "msisdn", "e164", "telefon", "telefonnummer", "rufnummer", "handy", "handynummer", "mobil"}
)
_ZONE_NAMES: Final = frozenset({"zone", "time_zone", "timezone", "tz", "zeitzone"})
_CONSENT_NAMES: Final = frozenset({"consent", "consent_at", "consent_given", "opt_in", "opted_in"})
_EXPIRES_NAMES: Final = frozenset({"consent_expires", "consent_until"})
_SOURCE_NAMES: Final = frozenset({"consent_source"})
_YES: Final = frozenset({"yes", "y", "true", "1", "x", "ja"})
_NO: Final = frozenset({"", "no", "n", "false", "0", "nein"})
_SPELT: Final = re.compile(r"[+\d\s().\-/\u2010-\u2015]+")
_TWO_NUMBERS: Final = re.compile(r"/\s*[0+]|\d\s*\+")
_FROM_A_SHEET: Final = re.compile(r"\d{6,}\.0+")  # a number that was taken for an amount: its zero is no digit


@dataclass(frozen=True)
class ListFormat:
    """What somebody says of their list. Columns by name; "" is found by the usual names."""

    number: str = ""
    zone: str = ""
    consent: str = ""  # when it was given, or yes or no
    consent_source: str = ""
    consent_expires: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)  # column -> what calls name it; "" leaves it out
    region: str = ""  # ISO 3166 of numbers in national form, as "DE"; "": only international ones
    encoding: str = "utf-8"


@dataclass(frozen=True, slots=True)
class ListedContact:
    """A contact as the list gives it."""

    line: int  # where it begins, from 1; in a JSON array: which entry
    number: str  # E.164
    stated_zone: str
    variables: dict[str, str]
    consent: ConsentOnRecord | None


@dataclass(frozen=True, slots=True)
class _Columns:
    number: str
    zone: str
    consent: str
    consent_source: str
    consent_expires: str
    variables: dict[str, str]


class BadNumber(ValueError):
    """No number somebody could be called at."""


class ContactReader:
    """Reads a list of contacts. Feed what has come; ``close`` at its end, unless it was cut on the way.

    Args:
        told: of the list.
        now_ms: when consents count as given that the list only affirms.
        source: of consents for which the list names none.

    Raises:
        BadList: also of ``feed`` and ``close``: nothing of it can be used.
    """

    def __init__(self, told: ListFormat, now_ms: float, source: str) -> None:
        if told.region and told.region.upper() not in phonenumbers.SUPPORTED_REGIONS:
            raise BadList(f"no region is called {told.region!r}; one is DE")
        self._told = told
        self._now_ms = now_ms
        self._source = source
        self._records = ListReader(told.encoding)
        self._columns: dict[tuple[str, ...], _Columns] = {}

    def feed(self, data: bytes) -> Iterator[ListedContact | Fault]:
        """The contacts that are whole now."""
        return (self._contact(found) for found in self._records.feed(data))

    def close(self) -> Iterator[ListedContact | Fault]:
        """The last one."""
        return (self._contact(found) for found in self._records.close())

    def _contact(self, record: Record | Fault) -> ListedContact | Fault:
        if isinstance(record, Fault):
            return record
        try:
            fields, columns = record.fields, self._columns_of(tuple(record.fields))
        except BadList as error:
            if not self._columns:
                raise
            return Fault(record.line, FaultKind.COLUMNS, str(error))  # a JSON entry unlike those before
        if not fields.get(columns.number):
            return Fault(record.line, FaultKind.NO_NUMBER, "has no number")
        try:
            number = number_of(fields[columns.number], self._told.region)
            zone = fields.get(columns.zone, "")
            if zone:
                _check_zone(zone)
            consent = self._consent(fields, columns)
        except BadNumber as error:
            return Fault(record.line, FaultKind.BAD_NUMBER, str(error))
        except UnknownZone as error:
            return Fault(record.line, FaultKind.UNKNOWN_ZONE, str(error))
        except ValueError as error:
            return Fault(record.line, FaultKind.BAD_CONSENT, str(error))
        variables = {name: fields[column] for column, name in columns.variables.items() if fields[column]}
        for name, value in variables.items():
            if len(value) > MOST_VALUE_CHARS:
                return Fault(record.line, FaultKind.BAD_VALUE, f"{name} has more than {MOST_VALUE_CHARS} characters")
        return ListedContact(record.line, number, zone, variables, consent)

    def _consent(self, fields: Mapping[str, str], columns: _Columns) -> ConsentOnRecord | None:
        said = fields.get(columns.consent, "")
        if said.lower() in _NO:
            return None
        given_ms = self._now_ms if said.lower() in _YES else _moment(said)
        until = fields.get(columns.consent_expires, "")
        source = fields.get(columns.consent_source, "") or self._source
        return ConsentOnRecord(given_ms, expires_ms=_moment(until) if until else None, source=source)

    def _columns_of(self, names: tuple[str, ...]) -> _Columns:
        """By the header; entries of JSON may have each their own."""
        known = self._columns.get(names)
        if known is None:
            if not self._columns:
                _check_told(self._told, names)
            known = _found(self._told, names)
            if len(self._columns) < MOST_VARIABLES:
                self._columns[names] = known
        return known


def number_of(text: str, region: str = "") -> str:
    """E.164. Raises BadNumber, in words that do not repeat it."""
    text = text.strip().removeprefix("'").removeprefix("tel:")
    if _FROM_A_SHEET.fullmatch(text):
        text = text.partition(".")[0]
    if not _SPELT.fullmatch(text):
        raise BadNumber("holds characters that no phone number has")
    if _TWO_NUMBERS.search(text):
        raise BadNumber("seems to be two numbers")
    try:
        parsed = phonenumbers.parse(text, region.upper() or None)
    except NumberParseException as error:
        if error.error_type == NumberParseException.INVALID_COUNTRY_CODE and not region:
            raise BadNumber("is not in international form, and no region is given") from error
        raise BadNumber("is no phone number") from error
    reason = phonenumbers.is_possible_number_with_reason(parsed)
    if reason != ValidationResult.IS_POSSIBLE:
        local = reason == ValidationResult.IS_POSSIBLE_LOCAL_ONLY
        raise BadNumber("lacks its area code" if local else "has too few or too many digits for its country")
    if phonenumbers.number_type(parsed) == PhoneNumberType.PREMIUM_RATE:
        raise BadNumber("is a premium-rate number")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


@lru_cache(maxsize=1_000)
def _check_zone(name: str) -> None:
    zones_of("", name)


def _check_told(told: ListFormat, names: Sequence[str]) -> None:
    columns = (told.number, told.zone, told.consent, told.consent_source, told.consent_expires, *told.variables)
    missing = [column for column in columns if column and column not in names]
    if missing:
        raise BadList(f"has no column {', '.join(missing)}; it has {', '.join(names)[:300]}")


def _found(told: ListFormat, names: Sequence[str]) -> _Columns:
    number = _one_of(names, told.number, _NUMBER_NAMES, "number")
    if not number:
        raise BadList(f"has no column for the number; it has {', '.join(names)[:300]}")
    zone = _one_of(names, told.zone, _ZONE_NAMES, "zone")
    consent = _one_of(names, told.consent, _CONSENT_NAMES, "consent")
    source = _one_of(names, told.consent_source, _SOURCE_NAMES, "consent source")
    expires = _one_of(names, told.consent_expires, _EXPIRES_NAMES, "end of consents")
    taken = {number, zone, consent, source, expires}
    variables = {name: told.variables.get(name, _variable(name)) for name in names if name not in taken}
    variables = {column: name for column, name in variables.items() if name}
    called = list(variables.values())
    twice = {name for name in called if called.count(name) > 1}
    if twice:
        raise BadList(f"has several columns that calls would know as {', '.join(sorted(twice))}")
    if len(variables) > MOST_VARIABLES:
        raise BadList(f"has more than {MOST_VARIABLES} columns")
    return _Columns(number, zone, consent, source, expires, variables)


def _one_of(names: Sequence[str], told: str, usual: frozenset[str], what: str) -> str:
    """ "": there is none. A JSON entry may leave out a column that was told."""
    if told:
        return told
    fitting = [name for name in names if _variable(name) in usual]
    if len(fitting) > 1:
        raise BadList(f"has several columns that may be the {what}: {', '.join(fitting)}; say which")
    return fitting[0] if fitting else ""


@lru_cache(maxsize=10_000)
def _variable(column: str) -> str:
    """ "Straße (privat)" is strasse_privat. "" if nothing is left."""
    plain = unicodedata.normalize("NFKD", column.replace("ß", "ss")).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:60]
    return name if not name or name[0].isalpha() else f"c_{name}"[:60]


def _moment(text: str) -> float:
    """Ms since the epoch; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text[:40]!r} is neither yes nor no nor a time such as 2026-03-01") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000
