"""The documents that a playbook names, read from beside its file."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cli.playbook_check import read_playbook
from core.knowledge.passages import BadDocument, Passage, is_path
from core.playbook import Fault, Playbook, PlaybookFaults, fault_at
from core.playbook_parts import Misplaced
from storage.documents import ReadFile
from vendors.documents import KINDS, read_document


@dataclass
class DocumentFiles:
    """What was read, by path; and what could not be, each fault at its place in the playbook."""

    read: dict[str, ReadFile] = field(default_factory=dict)
    faults: list[Misplaced] = field(default_factory=list)

    @property
    def passages(self) -> list[Passage]:
        """Of all documents, in their order."""
        return [passage for path in sorted(self.read) for passage in self.read[path][1]]


def documents_of(playbook: Playbook, file: Path) -> DocumentFiles:
    """Read all documents of a playbook that stands in this file; of a folder those of a known kind, in it or below."""
    found = DocumentFiles()
    for place, source in enumerate(playbook.knowledge):
        at = ("knowledge", place)
        try:
            for document in _files(file.parent, source):
                path = document.relative_to(file.parent).as_posix()
                if path not in found.read:
                    _read(found, at, path, document)
        except BadDocument as error:
            found.faults.append(Misplaced(at, f"{source}: {error}"))
    return found


def published_documents(playbook: Playbook, file: Path) -> dict[str, ReadFile]:
    """The same for a playbook that is published. Raises PlaybookFaults."""
    found = documents_of(playbook, file)
    if found.faults:
        text = file.read_text(encoding="utf-8")
        raise PlaybookFaults([fault_at(text, str(file), fault.at, str(fault)) for fault in found.faults])
    return found.read


def passages_at(where: Path) -> list[Passage]:
    """The passages of a playbook's documents, or of all documents in a folder. Raises PlaybookFaults."""
    if not where.is_dir():
        read = published_documents(read_playbook(where), where)
        return [passage for path in sorted(read) for passage in read[path][1]]
    found = DocumentFiles()
    for document in _files(where, "."):
        _read(found, (), document.relative_to(where).as_posix(), document)
    if found.faults:
        raise PlaybookFaults([Fault(str(where), 1, "(file)", str(fault)) for fault in found.faults])
    return found.passages


def _read(found: DocumentFiles, at: tuple[str | int, ...], path: str, document: Path) -> None:
    try:
        if not is_path(path):
            raise BadDocument("is a name that documents cannot have: rename it with letters, digits, spaces, - and _")
        content = document.read_bytes()
        found.read[path] = content, read_document(path, content)
    except OSError as error:
        found.faults.append(Misplaced(at, f"{path}: cannot be read: {error.strerror}"))
    except BadDocument as error:
        found.faults.append(Misplaced(at, f"{path}: {error}"))


def _files(folder: Path, source: str) -> Iterator[Path]:
    where = folder / source
    if where.is_file():
        yield where
    elif where.is_dir():
        documents = sorted(path for path in where.rglob("*") if path.suffix.lower() in KINDS and path.is_file())
        if not documents:
            raise BadDocument(f"is a folder without any document: {', '.join(sorted(KINDS))}")
        yield from documents
    else:
        raise BadDocument(f"is not there, beside {folder}")
