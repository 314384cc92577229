"""Lets the carrier's media sockets in, and sees each stream through to the last word the workflow has to hear of it."""

import asyncio
from http import HTTPStatus

import structlog
from picows import WSCloseCode, WSListener, WSUpgradeRequest, WSUpgradeResponseWithListener
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from media_gateway.answers import answer
from media_gateway.call_stream import CallStream
from media_gateway.carrier_line import StreamIdentity
from media_gateway.carrier_socket import CarrierSocket
from media_gateway.clock import StreamClock
from media_gateway.deps import STREAM_PATH, GatewayDeps
from media_gateway.metrics import GatewayMetrics
from media_gateway.streams import Streams
from media_gateway.twilio_messages import Started
from media_gateway.twilio_signature import HandshakeSignature

log = structlog.get_logger()


class MediaEndpoint:
    """All that is served on the public port: the media socket, and the routes a load balancer and Prometheus ask."""

    def __init__(self, deps: GatewayDeps, streams: Streams, metrics: GatewayMetrics) -> None:
        self._deps = deps
        self._streams = streams
        self._metrics = metrics
        self._signature = HandshakeSignature(deps.settings.twilio_auth_token, deps.settings.stream_url)
        self._running: set[asyncio.Task[None]] = set()

    def route(self, request: WSUpgradeRequest) -> WSListener | WSUpgradeResponseWithListener | None:
        """Answer one request; None is a 404."""
        match request.path.partition(b"?")[0].decode("ascii", "replace"):
            case path if path == STREAM_PATH and request.headers.get("upgrade") is None:
                return self._tell_room()  # the API asks before it lets a caller in
            case path if path == STREAM_PATH:
                return self._let_in(request)
            case "/healthz":
                return answer(HTTPStatus.OK, b'{"status":"ok"}')
            case "/readyz":
                return self._tell_room()
            case "/metrics":
                return answer(HTTPStatus.OK, generate_latest(self._metrics.registry), CONTENT_TYPE_LATEST)
        return None

    def _tell_room(self) -> WSUpgradeResponseWithListener:
        if self._streams.room:
            return answer(HTTPStatus.OK, b'{"status":"ready"}')
        reason = b"draining" if self._streams.draining else b"full"
        return answer(HTTPStatus.SERVICE_UNAVAILABLE, b'{"status":"%b"}' % reason)

    def _let_in(self, request: WSUpgradeRequest) -> WSListener | WSUpgradeResponseWithListener:
        if not self._signature.valid(request.headers.get("x-twilio-signature")):
            return self._turn_away(HTTPStatus.FORBIDDEN, "signature")
        if not self._streams.room:
            return self._turn_away(HTTPStatus.SERVICE_UNAVAILABLE, "draining" if self._streams.draining else "capacity")
        return CarrierSocket(self, self._deps.settings.start)

    def _turn_away(self, status: HTTPStatus, reason: str) -> WSUpgradeResponseWithListener:
        self._metrics.refused.labels(reason).inc()
        log.warning("stream_refused", reason=reason)
        return answer(status, b'{"status":"refused"}')

    def entered(self) -> None:
        """A socket has come in."""
        self._streams.entered()

    def left(self) -> None:
        """A socket is closed."""
        self._streams.left()

    def bad_message(self) -> None:
        """A live stream has sent what cannot be read."""
        self._metrics.bad_messages.inc()

    def start(self, socket: CarrierSocket, start: Started) -> CallStream:
        """A stream begins. Raises BadToken."""
        parameters = start.start.custom_parameters
        call_id = parameters.get("call_id", "")
        attachment = self._streams.admit(call_id, parameters.get("token", ""), round(self._deps.clock()))
        identity = StreamIdentity(call_id, attachment, start.start.stream_sid, start.start.call_sid)
        lines = self._streams.holding_lines(call_id)
        stream = CallStream(self._deps, self._metrics, identity, socket, lines, self._streams.digits, StreamClock())
        self._streams.join(stream)
        task = asyncio.create_task(self._see_through(stream, socket))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return stream

    async def _see_through(self, stream: CallStream, socket: CarrierSocket) -> None:
        """What goes wrong in here ends this stream and no other."""
        self._streams.entered()
        self._metrics.streams.inc()
        try:
            await stream.run()
        except Exception:
            log.exception("stream_failed", call_id=stream.identity.call_id)
            socket.close("an error of ours", WSCloseCode.INTERNAL_ERROR)  # if it is not gone already
        finally:
            self._streams.leave(stream)
            self._metrics.streams.dec()
            self._metrics.frames.inc(socket.frames)
        try:
            await stream.tell_the_rest()
        finally:
            self._streams.left()
