"""What workers reach of a gateway: a port of its own, never the public one."""

import secrets

from fastapi import FastAPI, HTTPException, Request, Response, WebSocket
from starlette.responses import PlainTextResponse

from media_gateway.playback_socket import PlaybackSocket
from media_gateway.streams import Streams


def create_internal_app(streams: Streams, internal_secret: str) -> FastAPI:
    """What workers reach: the playback socket, the kept audio of turns and what was keyed in."""
    app = FastAPI(title="Holdfast media gateway, internal", openapi_url=None)
    expected = f"Bearer {internal_secret}".encode()

    def allowed(request: Request | WebSocket) -> bool:
        return secrets.compare_digest(request.headers.get("authorization", "").encode(), expected)

    @app.websocket("/internal/playback")
    async def playback(websocket: WebSocket) -> None:
        if not allowed(websocket):
            await websocket.send_denial_response(PlainTextResponse("not allowed", 401))
            return
        await websocket.accept()
        await PlaybackSocket(websocket, streams).serve()

    @app.get("/internal/calls/{call_id}/turns/{turn}/audio")
    async def turn_audio(request: Request, call_id: str, turn: int) -> Response:
        if not allowed(request):
            raise HTTPException(401, "not allowed")
        audio = streams.turn_audio(call_id, turn)
        if audio is None:
            raise HTTPException(404, "no audio is kept of this turn")
        return Response(audio, media_type="audio/basic")

    @app.get("/internal/calls/{call_id}/digits/{name}")
    async def digits(request: Request, call_id: str, name: str) -> Response:
        if not allowed(request):
            raise HTTPException(401, "not allowed")
        found = streams.digits.get(call_id, name)
        if found is None:
            raise HTTPException(404, "no digits are kept under this name")
        return PlainTextResponse(found, headers={"Cache-Control": "no-store"})

    return app
