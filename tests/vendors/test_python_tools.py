"""Tools by entry point: found by name, and refused with a reason."""

from pathlib import Path

import pytest

from core.ports.errors import VendorError
from core.tools import Effect
from vendors.python_tools import BadTool, load_offered, offered_names
from vendors.tool_secrets import ToolSecrets

MODULE = """
from core.ports.tools import PythonTool
from core.tools import Effect

async def book(arguments, context):
    return {"booked": arguments["day"]}

BOOK = PythonTool("Book a day.", book, {"type": "object", "properties": {"day": {"type": "string"}}}, Effect.WRITE)
NO_TOOL = 7
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package with entry points."""
    (tmp_path / "some_booking_tools.py").write_text(MODULE)
    information = tmp_path / "some_booking_tools-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: some-booking-tools\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(
        "[holdfast.tools]\n"
        "some.book = some_booking_tools:BOOK\n"
        "some.number = some_booking_tools:NO_TOOL\n"
        "some.gone = some_booking_tools:GONE\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("package")
def test_installed_package_offers_a_tool_by_name() -> None:
    assert "some.book" in offered_names()
    tool = load_offered("some.book")
    assert (tool.description, tool.effect) == ("Book a day.", Effect.WRITE)


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("some.other", "no installed package offers the tool 'some.other'"),
        ("some.number", "is a int, not a core.ports.tools.PythonTool"),
        ("some.gone", "cannot be loaded from some_booking_tools:GONE"),
    ],
)
def test_entry_point_that_cannot_be_used_says_why(name: str, why: str) -> None:
    with pytest.raises(BadTool, match=why):
        load_offered(name)


def test_secrets_are_told_by_name_and_shown_to_nobody() -> None:
    secrets = ToolSecrets.of({"HOLDFAST_SECRET_SHOP_TOKEN": "s3cret", "HOLDFAST_SECRET_EMPTY": "", "PATH": "/bin"})
    assert secrets("SHOP_TOKEN") == "s3cret"
    assert secrets("EMPTY", "else") == "else"
    assert "s3cret" not in repr(secrets)
    with pytest.raises(VendorError, match="HOLDFAST_SECRET_PATH is not set"):
        secrets("PATH")
