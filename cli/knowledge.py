"""The commands of holdfast knowledge: try what a playbook's documents tell."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.embedders import EmbedderName

if TYPE_CHECKING:
    from core.knowledge.index import Found, KnowledgeIndex
    from core.knowledge.passages import Passage
    from core.playbook import Playbook
    from core.ports.embedder import Embedder

knowledge = typer.Typer(no_args_is_help=True, help="Look into the documents of playbooks.")


@knowledge.callback()
def _only_subcommands() -> None:
    """Keeps `search` a command of its own while there is no other."""


@knowledge.command("search")
def search(
    playbook: Annotated[str, typer.Argument(help="A playbook's file, or its name in the database.")],
    question: Annotated[str, typer.Argument(help="What a caller asks.")],
    before: Annotated[str, typer.Option(help="What the caller said in the turn before.")] = "",
    embedder: Annotated[EmbedderName, typer.Option(help="auto: by meaning where the model is there.")] = (
        EmbedderName.AUTO
    ),
) -> None:
    """Show the passages most like a question; those marked * go to the model. Exit code 1 if none does."""
    from cli.process import complaints
    from core.playbook import PlaybookFaults
    from core.ports.errors import StorageUnavailable, UnknownPlaybook
    from vendors.minilm_embedder import MiniLmMissing

    with complaints(PlaybookFaults, StorageUnavailable, UnknownPlaybook, MiniLmMissing):
        known, passages = _documents(playbook)
        index = index_of(passages, embedder)
    told = index.answers(question, before, known.knowledge_threshold)
    threshold = index.enough if known.knowledge_threshold is None else known.knowledge_threshold
    print(f"{len(passages)} passages, {index.method}, threshold {threshold}")
    for found in told or index.search(question):
        print(_shown(found, told))
    if not told:
        print(f"Nothing is likely enough to answer it. The assistant is told to say: {known.unknown}")
        sys.exit(1)


def index_of(passages: "list[Passage]", embedder: EmbedderName) -> "KnowledgeIndex":
    """An index made here and now, as workers have it. Raises MiniLmMissing."""
    from cli.embedders import embedder_of
    from core.knowledge.index import KnowledgeIndex, views_of

    def made(embedder: "Embedder", words: "KnowledgeIndex | None" = None) -> "KnowledgeIndex":
        return KnowledgeIndex(passages, embedder.embed(views_of(passages, embedder).texts), embedder, words)

    by_words = made(embedder_of(EmbedderName.LEXICAL))
    chosen = embedder_of(embedder)
    return by_words if chosen.name == by_words.method else made(chosen, by_words)


def _shown(found: "Found", told: "list[Found]") -> str:
    mark = "*" if found in told else " "
    return f"{mark} {found.score:.2f}  {found.passage.place}\n        {found.passage.text}"


def _documents(playbook: str) -> "tuple[Playbook, list[Passage]]":
    """The playbook, and the passages of its files, or of the database where there is no such file."""
    from cli.knowledge_files import passages_at
    from cli.playbook_check import read_playbook
    from cli.process import Complaint

    file = Path(playbook)
    if file.suffix in (".yaml", ".yml"):
        known, passages = read_playbook(file), passages_at(file)
    else:
        known, passages = asyncio.run(_from_database(playbook))
    if not passages:
        raise Complaint(f"{playbook}: has no documents: list them under knowledge, or upload them over REST")
    return known, passages


async def _from_database(name: str) -> "tuple[Playbook, list[Passage]]":
    from cli.settings import Settings
    from storage.database import Database
    from storage.documents import SqlDocuments
    from storage.playbooks import SqlPlaybooks

    database = Database(Settings.read().database, pool_size=1)
    try:
        known = await SqlPlaybooks(database).latest(name)
        found = await SqlDocuments(database).passages(name)
    finally:
        await database.close()
    return known, [passage for path in sorted(found) for passage in found[path]]
