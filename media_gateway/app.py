"""The gateway's two web applications: one for carriers, one for workers."""

import secrets

from fastapi import FastAPI, HTTPException, Request, Response, WebSocket
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import PlainTextResponse

from media_gateway.deps import STREAM_PATH, GatewayDeps
from media_gateway.metrics import GatewayMetrics
from media_gateway.playback_socket import PlaybackSocket
from media_gateway.stream import MediaEndpoint
from media_gateway.streams import Streams


class Gateway:
    """The process's state, and both applications around it."""

    def __init__(self, deps: GatewayDeps) -> None:
        self.deps = deps
        self.metrics = GatewayMetrics()
        self.streams = Streams(deps.settings.stream_secret, deps.settings.capacity)
        self.media_app = create_media_app(self)
        self.internal_app = create_internal_app(self)


def create_media_app(gateway: Gateway) -> FastAPI:
    """What carriers reach: the media socket and the health routes."""
    app = FastAPI(title="Holdfast media gateway", openapi_url=None)
    endpoint = MediaEndpoint(gateway.deps, gateway.streams, gateway.metrics)

    @app.websocket(STREAM_PATH)
    async def media(websocket: WebSocket) -> None:
        await endpoint.take(websocket)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz(response: Response) -> dict[str, str]:
        if gateway.streams.room:
            return {"status": "ready"}
        response.status_code = 503
        return {"status": "draining" if gateway.streams.draining else "full"}

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(gateway.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return app


def create_internal_app(gateway: Gateway) -> FastAPI:
    """What workers reach: the playback socket and the kept audio of turns."""
    app = FastAPI(title="Holdfast media gateway, internal", openapi_url=None)
    expected = f"Bearer {gateway.deps.settings.internal_secret}".encode()

    def allowed(request: Request | WebSocket) -> bool:
        return secrets.compare_digest(request.headers.get("authorization", "").encode(), expected)

    @app.websocket("/internal/playback")
    async def playback(websocket: WebSocket) -> None:
        if not allowed(websocket):
            await websocket.send_denial_response(PlainTextResponse("not allowed", 401))
            return
        await websocket.accept()
        await PlaybackSocket(websocket, gateway.streams).serve()

    @app.get("/internal/calls/{call_id}/turns/{turn}/audio")
    async def turn_audio(request: Request, call_id: str, turn: int) -> Response:
        if not allowed(request):
            raise HTTPException(401, "not allowed")
        audio = gateway.streams.turn_audio(call_id, turn)
        if audio is None:
            raise HTTPException(404, "no audio is kept of this turn")
        return Response(audio, media_type="audio/basic")

    return app
