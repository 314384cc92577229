"""What workers reach of a gateway: a port of its own, never the public one."""

import re
import secrets
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import unquote

import msgspec
from picows import WSListener, WSUpgradeRequest, WSUpgradeResponseWithListener

from media_gateway.answers import answer
from media_gateway.desk_socket import DeskSocket
from media_gateway.playback_socket import PlaybackSocket
from media_gateway.streams import Streams

PLAYBACK = "/internal/playback"
CALLS = "/internal/calls"
_TURN_AUDIO = re.compile(r"/internal/calls/([^/]+)/turns/(\d{1,9})/audio")
_DESK = re.compile(r"/internal/calls/([^/]+)/desk")
_DIGITS = re.compile(r"/internal/calls/([^/]+)/digits/([^/]+)")

Route = Callable[[WSUpgradeRequest], WSListener | WSUpgradeResponseWithListener | None]


def internal_routes(streams: Streams, internal_secret: str) -> Route:
    """The playback socket, supervisors, calls, kept audio of turns and what was keyed in, for who knows the secret."""
    expected = f"Bearer {internal_secret}".encode()

    def route(request: WSUpgradeRequest) -> WSListener | WSUpgradeResponseWithListener | None:
        if not secrets.compare_digest(request.headers.get("authorization", "").encode(), expected):
            return answer(HTTPStatus.UNAUTHORIZED, b"not allowed")
        path = request.path.decode("ascii", "replace")
        if path == PLAYBACK:
            return PlaybackSocket(streams)
        if path == CALLS:
            return answer(HTTPStatus.OK, msgspec.json.encode(streams.attachments))
        if asked := _TURN_AUDIO.fullmatch(path):
            audio = streams.turn_audio(unquote(asked[1]), int(asked[2]))
            if audio is not None:
                return answer(HTTPStatus.OK, audio, "audio/basic")
            return answer(HTTPStatus.NOT_FOUND, b"no audio is kept of this turn")
        if asked := _DESK.fullmatch(path):
            stream = streams.live(unquote(asked[1]))
            return DeskSocket(stream) if stream is not None else answer(HTTPStatus.NOT_FOUND, b"no such stream")
        if asked := _DIGITS.fullmatch(path):
            digits = streams.digits.get(unquote(asked[1]), unquote(asked[2]))
            if digits is not None:
                return answer(HTTPStatus.OK, digits.encode(), "text/plain", {"Cache-Control": "no-store"})
            return answer(HTTPStatus.NOT_FOUND, b"no digits are kept under this name")
        return None

    return route
