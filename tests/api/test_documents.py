"""Documents of playbooks over REST."""

from storage.documents import SqlDocuments
from tests.api.world import ApiWorld
from tests.world.documents import pdf

RETURNS = b"# Returns\nWithin 30 days.\n## Refunds\nWithin 7 days.\n"
AT = "/v1/playbooks/renewal/documents"


async def test_uploaded_document_is_read_listed_and_removed(world: ApiWorld) -> None:
    answer = await world.v1("PUT", f"{AT}/help/returns.md", content=RETURNS)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["path"], answer.json()["passages"], answer.json()["size"]) == (
        "help/returns.md",
        2,
        len(RETURNS),
    )
    assert (await world.v1("PUT", f"{AT}/terms.pdf", content=pdf(["Two years."]))).status_code == 200
    listed = (await world.v1("GET", AT)).json()["documents"]
    assert [(one["path"], one["uploaded"]) for one in listed] == [("help/returns.md", True), ("terms.pdf", True)]
    assert (await world.v1("DELETE", f"{AT}/terms.pdf")).status_code == 204
    assert (await world.v1("DELETE", f"{AT}/terms.pdf")).status_code == 404
    documents = world.deps.documents
    assert isinstance(documents, SqlDocuments)
    assert (await documents.passages("renewal"))["help/returns.md"][1].place == "returns.md, Refunds"


async def test_upload_of_the_same_path_takes_its_place(world: ApiWorld) -> None:
    first = (await world.v1("PUT", f"{AT}/a.md", content=b"One.")).json()
    second = (await world.v1("PUT", f"{AT}/a.md", content=b"Two.")).json()
    assert first["digest"] != second["digest"]
    assert len((await world.v1("GET", AT)).json()["documents"]) == 1


async def test_document_that_cannot_be_used_is_refused_with_what_to_do(world: ApiWorld) -> None:
    answer = await world.v1("PUT", f"{AT}/scan.pdf", content=pdf([]))
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:holdfast:problem:unreadable-document"
    assert answer.json()["detail"].startswith("scan.pdf holds pictures only, no text")
    assert (await world.v1("PUT", f"{AT}/a.exe", content=b"MZ")).status_code == 422
    assert (await world.v1("PUT", f"{AT}/%2e%2e/a.md", content=b"x")).status_code in (404, 422)
    assert (await world.v1("PUT", f"{AT}/big.md", content=b"x" * 10_000_001)).status_code == 413
    assert (await world.v1("GET", AT)).json()["documents"] == []


async def test_large_body_is_taken_for_documents_only(world: ApiWorld) -> None:
    large = b"A sentence of some words. " * 8_000
    assert (await world.v1("PUT", f"{AT}/large.md", content=large)).status_code == 200
    assert (await world.v1("POST", "/v1/calls", content=large)).status_code == 413


async def test_published_document_is_changed_with_its_files_only(world: ApiWorld) -> None:
    documents = world.deps.documents
    assert isinstance(documents, SqlDocuments)
    await documents.publish("renewal", {"a.md": (b"one", world.deps.read_document("a.md", b"One."))})
    for method in ("PUT", "DELETE"):
        answer = await world.v1(method, f"{AT}/a.md", content=b"Two.")
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:holdfast:problem:published-document")


async def test_documents_of_a_playbook_nobody_knows_are_not_there(world: ApiWorld) -> None:
    for method, path in (("GET", ""), ("PUT", "/a.md"), ("DELETE", "/a.md")):
        answer = await world.v1(method, f"/v1/playbooks/nothing/documents{path}", content=b"One.")
        assert answer.status_code == 404
