"""The fields of a playbook that say which documents its calls may tell from."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from core.knowledge.passages import is_path
from core.playbook_parts import Line, Misplaced, Part

if TYPE_CHECKING:
    from core.playbook import Playbook

Source = Annotated[str, Field(min_length=1, max_length=200)]


class Knowing(Part):
    """What the assistant may tell from documents."""

    knowledge: tuple[Source, ...] = Field(
        (), description="documents (.md, .txt, .html, .pdf) and folders of them, beside the playbook"
    )
    knowledge_threshold: float | None = Field(
        None, ge=0, le=1, description="how like a question a passage has to be; default: by how alike passages are"
    )
    unknown: Line = Field(
        "I am sorry, I don't know that, and I don't want to tell you anything wrong.",
        description="said where neither documents nor tools tell what a caller asks",
    )


def check_knowledge(playbook: "Playbook") -> None:
    """Raises Misplaced."""
    for place, source in enumerate(playbook.knowledge):
        if not is_path(source.removesuffix("/")):
            at = ("knowledge", place)
            raise Misplaced(at, "must name a file or a folder beside the playbook or below it: no .., no / in front")
        if source in playbook.knowledge[:place]:
            raise Misplaced(("knowledge", place), "is there twice")
    for language, lines in playbook.translations.items():
        if playbook.knowledge and lines.unknown is None:
            raise Misplaced(("translations", language, "unknown"), "is missing: the playbook has knowledge")


def unknown_in(playbook: "Playbook", language: str) -> str:
    """What is said where nothing is known; "" where the playbook has no line in this language."""
    translation = playbook.translations.get(language)
    return playbook.unknown if translation is None else translation.unknown or ""
