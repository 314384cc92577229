"""The API's description of itself, and the page that shows it; both need the key."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from api.examples import EXAMPLES
from api.problems import MEDIA_TYPE, Problem

SWAGGER = Path(__file__).parent / "swagger"
DESCRIPTION = "Place phone calls with a voice assistant, follow them live, and act on them."
TAGS = [
    {"name": "calls", "description": "Place, list, read and steer calls"},
    {"name": "callbacks", "description": "Callers whom a person is to call back"},
    {"name": "live", "description": "What happens, as it happens (server-sent events)"},
    {"name": "playbooks", "description": "What calls can be about"},
    {"name": "dead letters", "description": "Steps after a call that were given up, and can be sent again"},
    {"name": "webhooks", "description": "Where customers are told of calls, signed by Standard Webhooks"},
    {"name": "campaigns", "description": "Lists of people to call, when they may be called, and what came of it"},
    {"name": "health", "description": "For whoever runs this"},
]
_MEANINGS = {
    400: "The body cannot be read",
    401: "The key is missing or wrong",
    404: "There is no such thing",
    409: "The call cannot do that, or has ended",
    413: "The body is too large",
    422: "The request cannot be used as it is; `errors` says where",
    503: "Temporal or the database is away; see Retry-After",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The responses of these statuses, for a router or a route."""
    return {status: {"model": Problem, "description": _MEANINGS[status]} for status in statuses}


def describe(app: FastAPI) -> None:
    """Have the app describe itself: errors as problems, and the key."""

    def make() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _schema(app)
        return app.openapi_schema

    app.openapi = make  # type: ignore[method-assign]  # how FastAPI has it done


def router(app: FastAPI) -> APIRouter:
    """/openapi.json and /docs."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/openapi.json")
    async def get_description() -> dict[str, Any]:
        """The description."""
        return app.openapi()

    @routes.get("/docs")
    async def get_docs() -> HTMLResponse:
        """The description as a page."""
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title=f"{app.title} API",
            swagger_js_url="/docs/swagger-ui-bundle.js",
            swagger_css_url="/docs/swagger-ui.css",
            swagger_favicon_url="/docs/favicon-32x32.png",
        )

    routes.mount("/docs", StaticFiles(directory=SWAGGER))

    return routes


def _schema(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes, tags=TAGS)
    schema["components"]["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "HOLDFAST_API_KEY"}
    }
    schema["security"] = [{"key": []}]
    for name, example in EXAMPLES.items():  # FastAPI would leave out of them what is null
        schema["components"]["schemas"][name]["examples"] = [example]
    for path in schema["paths"].values():
        for operation in path.values():
            _as_problems(operation["responses"])
    return schema


def _as_problems(responses: dict[str, Any]) -> None:
    for response in responses.values():
        content = response.get("content", {})
        body = content.get("application/json", {}).get("schema", {})
        if body.get("$ref", "").endswith("/Problem"):
            content[MEDIA_TYPE] = content.pop("application/json")
