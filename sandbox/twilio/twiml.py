"""TwiML as verbs."""

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree


class BadDocument(Exception):
    """The document cannot be followed; ``code`` is Twilio's number for why."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Verb:
    """A verb or a noun within one."""

    name: str
    attributes: Mapping[str, str]
    text: str = ""
    children: tuple["Verb", ...] = ()

    def get(self, name: str, default: str = "") -> str:
        """An attribute."""
        return self.attributes.get(name, default)

    def number(self, name: str, default: float) -> float:
        """A number's attribute; what is no number counts as not given, as at Twilio."""
        try:
            return float(self.attributes.get(name, default))
        except ValueError:
            return default

    def truth(self, name: str, *, default: bool) -> bool:
        """A boolean attribute."""
        return self.attributes.get(name, str(default)).lower() == "true"

    def child(self, name: str) -> "Verb | None":
        """The first noun of that name."""
        return next((child for child in self.children if child.name == name), None)


def parse(document: str) -> tuple[Verb, ...]:
    """The document's verbs. Raises BadDocument."""
    try:
        root = ElementTree.fromstring(document.strip())
    except ElementTree.ParseError as error:
        raise BadDocument(12100, f"Document parse failure: {error}") from error
    if root.tag != "Response":
        raise BadDocument(12100, f"Document parse failure: the root is <{root.tag}>, not <Response>")
    return tuple(_verb(element) for element in root)


def _verb(element: ElementTree.Element) -> Verb:
    children = tuple(_verb(child) for child in element)
    return Verb(element.tag, dict(element.attrib), (element.text or "").strip(), children)
