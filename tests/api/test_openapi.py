"""The API is what its description says it is."""

import asyncio
from collections import Counter
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from fastapi.routing import iter_route_contexts
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode, Response
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import positive_data_acceptance

from api.examples import NEW_CALL
from cli.playbook_check import read_playbook
from cli.settings import PACKAGED_PLAYBOOKS
from tests.api.world import API_KEY, ApiWorld

ENDLESS = ("/v1/events", "/v1/calls/{call_id}/events", "/v1/campaigns/{campaign_id}/events")  # streams
SOCKET = "/v1/calls/{call_id}/audio"  # OpenAPI knows no WebSockets: docs/takeover.md
Operation = APIOperation[Any, Any, Any, Any]
EXAMPLES = 12  # of each operation and mode


async def description(world: ApiWorld) -> dict[str, Any]:
    found: dict[str, Any] = (await world.v1("GET", "/openapi.json")).json()
    return found


async def test_every_operation_is_described_in_full(world_without_temporal: ApiWorld) -> None:
    paths = (await description(world_without_temporal))["paths"]
    operations = {(path, method): told for path, methods in paths.items() for method, told in methods.items()}
    routes = iter_route_contexts(world_without_temporal.app.routes)
    served = {route.path for route in routes} - {SOCKET}
    assert {path.replace(":path}", "}") for path in served if path and path.startswith("/v1")} == {
        path for path, _ in operations if path.startswith("/v1")
    }
    ids = [told["operationId"] for told in operations.values()]
    assert len(ids) == len(set(ids))
    for at, told in operations.items():
        assert told["summary"], at
        assert told["description"], at
        assert told["tags"], at


async def test_every_body_has_an_example_that_fits_it(world_without_temporal: ApiWorld) -> None:
    described = await description(world_without_temporal)
    for path, methods in described["paths"].items():
        for method, told in methods.items():
            bodies = [told["requestBody"], *told["responses"].values()] if "requestBody" in told else []
            for body in bodies or told["responses"].values():
                for kind, content in body.get("content", {}).items():
                    if kind.endswith("json"):
                        at = f"{method} {path} {kind}"
                        example = example_of(content["schema"], described, at)
                        whole = content["schema"] | {"components": described["components"]}
                        jsonschema_rs.validator_for(whole).validate(example)
                    else:
                        assert content["example"], path


def example_of(schema: dict[str, Any], described: dict[str, Any], at: str) -> Any:
    """What a reader of the description is shown: the example of the whole, else one of each part."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return example_of(described["components"]["schemas"][name], described, f"{at} {name}")
    match schema:
        case {"examples": [example, *_]} | {"const": example} | {"enum": [example, *_]}:
            return example
        case {"anyOf": [either, *_]}:
            return example_of(either, described, at)
        case {"items": item}:
            return [example_of(item, described, at)]
        case {"properties": parts}:
            return {name: example_of(part, described, f"{at}.{name}") for name, part in parts.items()}
        case {"type": "boolean"}:
            return True
        case {"default": default}:
            return default
    raise AssertionError(f"{at}: no example")


async def test_every_error_is_described_as_a_problem(world_without_temporal: ApiWorld) -> None:
    described = await description(world_without_temporal)
    for path, methods in described["paths"].items():
        for told in methods.values():
            for status, response in told["responses"].items():
                if path.startswith("/v1") and int(status) >= 400:
                    assert list(response["content"]) == ["application/problem+json"], (path, status)


async def test_the_key_is_described(world_without_temporal: ApiWorld) -> None:
    described = await description(world_without_temporal)
    [scheme] = described["components"]["securitySchemes"].values()
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert described["security"] == [{"key": []}]
    assert described["paths"]["/healthz"]["get"]["security"] == []


async def test_the_page_that_shows_it_needs_no_other_site(world_without_temporal: ApiWorld) -> None:
    page = await world_without_temporal.v1("GET", "/docs")
    assert page.status_code == 200
    assert "https://" not in page.text
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css"):
        assert asset in page.text
        assert (await world_without_temporal.v1("GET", f"/docs/{asset}")).status_code == 200


@pytest.mark.timeout(400)  # some thousand requests
async def test_it_answers_invented_requests_as_described(world: ApiWorld) -> None:
    world.shelf.books.append(read_playbook(PACKAGED_PLAYBOOKS / f"{NEW_CALL['playbook']}.yaml"))
    described = await description(world)
    schema = schemathesis.openapi.from_dict(described)
    schema.config.update(base_url=world.origin)
    statuses: Counter[int] = Counter()
    for path, methods in described["paths"].items():
        for method, told in methods.items():
            if path not in ENDLESS:
                takes_input = "parameters" in told or "requestBody" in told
                for mode in GenerationMode if takes_input else [GenerationMode.POSITIVE]:
                    answers = await asyncio.to_thread(try_out, schema[path][method], mode)
                    statuses.update(answer.status_code for answer in answers)
                    if path == "/v1/calls":
                        world.started += [answer.json()["id"] for answer in answers if answer.status_code == 201]
    assert {200, 201, 404, 422} <= set(statuses)  # it was not all refused at the door


def try_out(operation: Operation, mode: GenerationMode) -> list[Response]:
    """Ask for it in many ways, each answer checked against the description."""
    answers: list[Response] = []

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case[Any]) -> None:
        answers.append(
            case.call_and_validate(
                headers={"Authorization": f"Bearer {API_KEY}"},
                excluded_checks=[positive_data_acceptance],  # which numbers can exist is more than a schema can say
            )
        )

    ask()
    return answers
