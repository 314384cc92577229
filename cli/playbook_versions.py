"""holdfast playbook publish, versions and text: a playbook's versions, by the API."""

import hashlib
from pathlib import Path

from cli.knowledge_files import published_documents
from cli.playbook_check import read_playbook
from cli.process import Complaint
from cli.rest import Rest, part, with_api
from core.playbook import PlaybookFaults
from storage.documents import ReadFile

_YAML = {"Content-Type": "application/yaml"}


def publish(files: list[Path], url: str | None) -> None:
    """Make each file the newest version of its name, with its documents; stops with 2 at the first that cannot be.

    All files are read before anything is sent.
    """

    async def work(api: Rest) -> None:
        read = [(file, read_playbook(file)) for file in files]
        documents = [published_documents(playbook, file) for file, playbook in read]
        for (file, playbook), theirs in zip(read, documents, strict=True):
            path = f"/v1/playbooks/{part(playbook.name)}"
            version = await api.ask("PUT", path, content=file.read_bytes(), headers=_YAML)
            print(f"{version['ref']}: published, {await _upload(api, path, theirs)}")

    with_api(work, url, PlaybookFaults)


def versions(name: str, url: str | None) -> None:
    """Print all that were ever published, the newest first."""

    async def work(api: Rest) -> None:
        for version in (await api.ask("GET", f"/v1/playbooks/{part(name)}/versions"))["versions"]:
            newest = "  newest" if version["newest"] else ""
            print(f"{version['ref']}  {version['published_at']}{newest}")

    with_api(work, url)


def text(ref: str, url: str | None) -> None:
    """Print a version as it was written."""

    async def work(api: Rest) -> None:
        name, _, digest = ref.partition("@")
        if not digest:
            raise Complaint(f"{ref}: must be NAME@HASH, as `playbook versions` prints it")
        told = await api.ask("GET", f"/v1/playbooks/{part(name)}/versions/{part(digest)}")
        print(told["text"], end="")

    with_api(work, url)


async def _upload(api: Rest, path: str, documents: dict[str, ReadFile]) -> str:
    """Send those that are not there already; in words, how many."""
    if not documents:
        return "no documents"
    there = {known["path"]: known["digest"] for known in (await api.ask("GET", f"{path}/documents"))["documents"]}
    fresh = [name for name, (content, _) in documents.items() if there.get(name) != _digest(content)]
    for name in fresh:
        await api.ask("PUT", f"{path}/documents/{_path(name)}", content=documents[name][0])
    return f"{len(documents)} documents, {len(fresh)} of them new or changed"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _path(name: str) -> str:
    return "/".join(part(one) for one in name.split("/"))
