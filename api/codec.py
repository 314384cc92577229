"""The codec server: opens sealed and packed history for the Temporal UI and the temporal command, given our key.

The UI asks as a browser does, from its own origin, with the console's session cookie; the command with the key.

Source: https://docs.temporal.io/production-deployment/data-encryption
"""

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from temporalio.api.common.v1 import Payloads

from api.auth import CODEC_PATH
from api.deps import ApiDeps, ApiSettings
from api.problems import Refusal

_PREFLIGHT = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "content-type, x-namespace, authorization",
    "Access-Control-Max-Age": "600",
}


def router(deps: ApiDeps) -> APIRouter:
    """POST /codec/decode, and what browsers ask before they send it."""
    routes = APIRouter(include_in_schema=False)

    @routes.options(CODEC_PATH)
    async def may_ask(request: Request) -> Response:
        return Response(status_code=204, headers=_PREFLIGHT | _allowed(deps.settings, request))

    @routes.post(CODEC_PATH)
    async def decode(request: Request, response: Response, body: Annotated[dict[str, object], Body()]) -> object:
        try:
            asked = ParseDict(body, Payloads())
        except ParseError:
            raise Refusal(422, "invalid-request", "Send payloads as Temporal's codec servers take them.") from None
        response.headers.update(_allowed(deps.settings, request))
        try:
            opened = await deps.history.decode(asked.payloads)
        except ValueError as error:
            raise Refusal(422, "unreadable-history", f"{error}.") from error
        return MessageToDict(Payloads(payloads=opened))

    return routes


def _allowed(settings: ApiSettings, request: Request) -> dict[str, str]:
    """For the Temporal UI's pages and nobody else's."""
    origin = request.headers.get("origin", "")
    if origin != settings.temporal_ui_url:
        return {}
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true", "Vary": "Origin"}
