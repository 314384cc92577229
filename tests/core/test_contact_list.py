"""Lists as customers send them."""

import csv
import io
import json
from collections.abc import Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.contact_list import BadNumber, ContactReader, ListedContact, ListFormat, number_of
from core.list_records import MOST_CHARS, BadList, Fault, FaultKind
from core.may_call import ConsentOnRecord

NOW_MS = 1_790_000_000_000.0
GERMAN = ListFormat(region="DE")
BERLIN = "+493012345678"


def read(data: bytes | str, told: ListFormat = GERMAN, piece: int = 1_000) -> list[ListedContact | Fault]:
    raw = data.encode() if isinstance(data, str) else data
    reader = ContactReader(told, NOW_MS, "list")
    found: list[ListedContact | Fault] = []
    for start in range(0, len(raw), piece):
        found += reader.feed(raw[start : start + piece])
    return found + list(reader.close())


def contacts(found: Iterable[ListedContact | Fault]) -> list[ListedContact]:
    return [item for item in found if isinstance(item, ListedContact)]


def faults(found: Iterable[ListedContact | Fault]) -> list[tuple[int, FaultKind]]:
    return [(item.line, item.kind) for item in found if isinstance(item, Fault)]


def test_a_spreadsheets_csv_with_mark_semicolons_and_quotes() -> None:
    text = '\ufeffTelefon;Name;Straße (privat)\r\n030 12345678;"Müller; Söhne";"Am ""Tor"" 1"\r\n'
    (contact,) = contacts(read(text))
    assert contact.number == BERLIN
    assert contact.variables == {"name": "Müller; Söhne", "strasse_privat": 'Am "Tor" 1'}
    assert contact.line == 2


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    header, line = ["name", "number"], ["Grace", "030 12345678"]
    (contact,) = contacts(read(f"{delimiter.join(header)}\n{delimiter.join(line)}\n"))
    assert (contact.number, contact.variables) == (BERLIN, {"name": "Grace"})


def test_utf_16_and_a_named_encoding_are_read() -> None:
    text = "number\tname\n030 12345678\tJürgen\n"
    for data, told in (
        (text.encode("utf-16"), GERMAN),
        (text.encode("cp1252"), ListFormat(region="DE", encoding="cp1252")),
    ):
        (contact,) = contacts(read(data, told))
        assert contact.variables == {"name": "Jürgen"}


def test_a_line_of_another_encoding_is_a_fault_and_the_next_is_read() -> None:
    found = read(b"number,name\n030 12345678,J\xfcrgen\n030 12345679,Ada\n")
    assert faults(found) == [(2, FaultKind.ENCODING)]
    assert [contact.variables for contact in contacts(found)] == [{"name": "Ada"}]


def test_a_line_of_ten_megabytes_is_a_fault_and_the_next_is_read() -> None:
    found = read("number,name\n030 12345678," + "x" * 10_000_000 + "\n030 12345679,Ada\n", piece=65_536)
    assert faults(found) == [(2, FaultKind.TOO_LONG)]
    assert [contact.line for contact in contacts(found)] == [3]


def test_an_entry_of_ten_megabytes_in_an_array_is_a_fault_and_the_next_is_read() -> None:
    listed = [{"number": "030 12345678", "name": "x" * 10_000_000}, {"number": "030 12345679"}]
    found = read(json.dumps(listed), piece=65_536)
    assert faults(found) == [(1, FaultKind.TOO_LONG)]
    assert [contact.line for contact in contacts(found)] == [2]


def test_two_hundred_columns_become_call_data() -> None:
    names = [f"field {number}" for number in range(199)]
    text = ",".join(["number", *names]) + "\n" + ",".join(["030 12345678", *map(str, range(199))]) + "\n"
    (contact,) = contacts(read(text))
    assert len(contact.variables) == 199
    assert contact.variables["field_7"] == "7"


def test_a_cell_may_hold_line_ends() -> None:
    found = read('number,address\n030 12345678,"Am Tor 1\n10115 Berlin"\n030 12345679,\n')
    assert [(contact.line, contact.variables) for contact in contacts(found)] == [
        (2, {"address": "Am Tor 1\n10115 Berlin"}),
        (4, {}),
    ]


def test_quotes_that_are_never_closed_cost_their_own_line_only() -> None:
    lines = [f"0301234{number:04d},Ada" for number in range(100)]
    lines[3] = '03012340003,"Ada'
    found = read("number,name\n" + "\n".join(lines) + "\n")
    assert faults(found) == [(5, FaultKind.BAD_QUOTES)]
    assert len(contacts(found)) == 99


def test_a_list_that_ends_within_quotes_says_where() -> None:
    assert faults(read('number,name\n030 12345678,Ada\n030 12345679,"Gra')) == [(3, FaultKind.CUT)]


def test_a_line_with_more_or_fewer_columns_is_a_fault() -> None:
    found = read("number,name\n030 12345678,Ada,Lovelace\n030 12345679\n030 12345670,Grace,\n\n,,\n")
    assert faults(found) == [(2, FaultKind.COLUMNS), (3, FaultKind.COLUMNS)]
    assert [contact.line for contact in contacts(found)] == [4]


def test_json_lines_and_arrays_are_read_entry_by_entry() -> None:
    listed = [
        {"phone": "030 12345678", "name": 'A "q" \\ [b] {', "age": 36, "vip": True},
        {"phone": 3012345679, "x": None},
    ]
    lines = "\n".join(json.dumps(entry) for entry in listed)
    for text in (lines, json.dumps(listed), json.dumps(listed, indent=2)):
        first, second = contacts(read(text))
        assert first.variables == {"name": 'A "q" \\ [b] {', "age": "36", "vip": "true"}
        assert (first.number, second.number, second.variables) == (BERLIN, "+493012345679", {})


def test_a_broken_entry_is_a_fault_and_the_next_is_read() -> None:
    assert faults(read('{"number": "030 12345678"}\n{"number": \n[1]\n')) == [
        (2, FaultKind.BAD_JSON),
        (3, FaultKind.BAD_JSON),
    ]
    found = read('[{"number": "030 12345678"}, {"number" "x"}, 7, {"number": "030 12345679"}')
    assert faults(found) == [(2, FaultKind.BAD_JSON), (3, FaultKind.BAD_JSON), (4, FaultKind.CUT)]
    assert len(contacts(found)) == 1


def test_json_nested_beyond_measure_is_a_fault() -> None:
    assert faults(read('{"number": "030 12345678"}\n{"number": ' + "[" * 50_000 + "\n")) == [(2, FaultKind.BAD_JSON)]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("030/123 456 78", BERLIN),
        ("+49 (0)30 12345678", BERLIN),
        ("0049-30-12345678", BERLIN),
        ("'+493012345678", BERLIN),
        ("493012345678.0", BERLIN),
        ("+1 202 555 0117", "+12025550117"),
    ],
)
def test_one_number_in_many_spellings(text: str, number: str) -> None:
    assert number_of(text, "DE") == number


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("4.93012E+11", "characters"),
        ("030 12345678 ext. 5", "characters"),
        ("030 12345678 / 0171 2345678", "two numbers"),
        ("+1 202 555 01", "too few"),
        ("+15550100", "area code"),
        ("0900 1234567", "premium"),
        ("++", "no phone number"),
    ],
)
def test_what_is_no_number_is_told_why(text: str, why: str) -> None:
    with pytest.raises(BadNumber, match=why):
        number_of(text, "DE")


def test_a_national_number_needs_a_region() -> None:
    with pytest.raises(BadNumber, match="region"):
        number_of("030 12345678")


def test_zones_and_consents_are_read_from_their_columns() -> None:
    found = read(
        "number,tz,consent,consent_source,consent_until\n"
        "030 12345670,Europe/Berlin,2026-03-01,web form,2027-03-01T00:00:00+01:00\n"
        "030 12345671,,yes,,\n"
        "030 12345672,,no,,\n"
        "030 12345673,Mars/Olympus,yes,,\n"
        "030 12345674,,perhaps,,\n"
    )
    dated, affirmed, refused = contacts(found)
    assert dated.stated_zone == "Europe/Berlin"
    assert dated.consent == ConsentOnRecord(1_772_323_200_000.0, expires_ms=1_803_855_600_000.0, source="web form")
    assert affirmed.consent == ConsentOnRecord(NOW_MS, source="list")
    assert refused.consent is None
    assert faults(found) == [(5, FaultKind.UNKNOWN_ZONE), (6, FaultKind.BAD_CONSENT)]


def test_columns_may_be_named_renamed_and_left_out() -> None:
    told = ListFormat(number="b", variables={"a": "nickname", "c": ""}, region="DE")
    (contact,) = contacts(read("a,b,c,d\nAda,030 12345678,secret,x\n", told))
    assert contact.variables == {"nickname": "Ada", "d": "x"}


@pytest.mark.parametrize(
    ("text", "told", "why"),
    [
        ("", GERMAN, "nothing"),
        ("name,city\nAda,London\n", GERMAN, "no column for the number"),
        ("phone,mobile\n1,2\n", GERMAN, "say which"),
        ("number,Name,name\n1,2,3\n", GERMAN, "know as name"),
        ("number,name,name\n1,2,3\n", GERMAN, "same name"),
        ("phone\n1\n", ListFormat(number="telephone"), "no column telephone"),
        ("x" * (MOST_CHARS + 1), GERMAN, "the header has more"),
        ("number\n", ListFormat(region="XX"), "no region"),
        ("number\n", ListFormat(encoding="klingon"), "no encoding"),
    ],
)
def test_a_list_that_cannot_be_used_at_all_says_why(text: str, told: ListFormat, why: str) -> None:
    with pytest.raises(BadList, match=why):
        read(text, told)


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r\ufffd\ufeff"), max_size=30)


@given(
    rows=st.lists(st.tuples(st.integers(2_000_000, 9_999_999), CELLS), min_size=1, max_size=20),
    delimiter=st.sampled_from(",;\t|"),
    mark=st.booleans(),
    piece=st.integers(1, 50),
)
def test_whatever_csv_writes_is_read_back_however_it_is_cut_into_pieces(
    rows: list[tuple[int, str]], delimiter: str, mark: bool, piece: int
) -> None:
    sheet = io.StringIO()
    writer = csv.writer(sheet, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([("number", "name"), *((f"+4930{number}", name) for number, name in rows)])
    found = read(("\ufeff" if mark else "") + sheet.getvalue(), piece=piece)
    assert faults(found) == []
    names = [contact.variables.get("name", "") for contact in contacts(found)]
    assert names == [name.strip().replace("\r\n", "\n") for _, name in rows]


@given(
    rows=st.lists(st.dictionaries(st.sampled_from(["number", "a", "b"]), CELLS), max_size=10), piece=st.integers(1, 50)
)
def test_arrays_are_read_alike_however_they_are_cut_into_pieces(rows: list[dict[str, str]], piece: int) -> None:
    data = json.dumps([{"number": BERLIN}, *rows], ensure_ascii=False)
    assert read(data, piece=piece) == read(data, piece=100_000)


@given(
    data=st.binary(max_size=300),
    start=st.sampled_from([b"", b"number,a\n", b"[", b"{", b'number,"']),
    piece=st.integers(1, 50),
)
@example(b"\xff\xfe\x00\xd8", b"", 1)
def test_no_bytes_break_it(data: bytes, start: bytes, piece: int) -> None:
    try:
        for item in read(start + data, piece=piece):
            assert isinstance(item, ListedContact | Fault)
    except BadList:
        pass
