"""The gateway's end of a worker's playback socket: replies come in, word of them goes back."""

import asyncio
from collections import OrderedDict

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.contracts.call import Heard
from media_gateway.outgoing import Outgoing
from media_gateway.playback_protocol import (
    Audio,
    BadPlaybackMessage,
    Began,
    BreakOff,
    Closed,
    Finish,
    FromWorker,
    HeardOf,
    HoldingLines,
    Open,
    Opened,
    decode_from_worker,
    encode,
)
from media_gateway.replies import Replies, Reply
from media_gateway.streams import Streams

log = structlog.get_logger()

UNSUPPORTED_DATA = 1003
TOLD_REMEMBERED = 64  # of a worker that dies now, so many last words on replies may not have reached the workflow


class PlaybackSocket:
    """One worker process and all its replies. When the socket goes, its unfinished replies are lost."""

    def __init__(self, websocket: WebSocket, streams: Streams) -> None:
        self._websocket = websocket
        self._streams = streams
        self._outgoing: Outgoing[bytes] = Outgoing(self._write)
        self._replies: dict[int, tuple[Replies, Reply]] = {}  # coming in, or still to be heard
        self._told: OrderedDict[int, tuple[Replies, Reply]] = OrderedDict()

    def opened(self, reply: int, kept: tuple[str, ...]) -> None:
        """The reply may speak, after these sentences."""
        self._outgoing.send(encode(Opened(reply, kept)))

    def closed(self, reply: int, reason: str) -> None:
        """No more of it is wanted."""
        self._replies.pop(reply, None)
        self._outgoing.send(encode(Closed(reply, reason)))

    def heard(self, reply: int, heard: Heard) -> None:
        """What the caller heard of a whole reply."""
        self._told[reply] = self._replies.pop(reply)
        if len(self._told) > TOLD_REMEMBERED:
            self._told.popitem(last=False)
        self._outgoing.send(encode(HeardOf(reply, heard)))

    async def serve(self) -> None:
        """Until the worker goes."""
        writing = asyncio.create_task(self._outgoing.run())
        try:
            while True:
                self._take(decode_from_worker(await self._websocket.receive_bytes()))
        except WebSocketDisconnect:
            log.info("worker_gone", unfinished=len(self._replies))
        except (BadPlaybackMessage, KeyError):  # KeyError: a text frame
            log.error("worker_misunderstood")
            await self._websocket.close(UNSUPPORTED_DATA)
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            for replies, reply in [*self._replies.values(), *self._told.values()]:
                replies.lose(reply)

    def _take(self, message: FromWorker) -> None:
        match message:
            case Audio(number, sentence, audio, words, last, text):
                if (found := self._replies.get(number)) is not None:
                    found[0].audio(found[1], sentence, audio, words, last=last, text=text)
            case Open():
                self._open(message)
            case Began(number, timings):
                if (found := self._replies.get(number)) is not None:
                    found[1].timings = timings
            case Finish(number, hear):
                found = self._replies.get(number) if hear else self._replies.pop(number, None)
                if found is not None:
                    found[0].finish(found[1], hear=hear)
            case BreakOff(number):
                if (found := self._replies.pop(number, None)) is not None:
                    found[0].break_off(found[1])
                elif (told := self._told.pop(number, None)) is not None:  # it left before it was told
                    told[0].lose(told[1])
            case HoldingLines(call_id, attachment, lines, language):
                if (stream := self._streams.find(call_id, attachment)) is not None:
                    stream.holding.keep([audio for _, audio in lines], language)

    def _open(self, message: Open) -> None:
        stream = self._streams.find(message.call_id, message.key.attachment)
        if stream is None:
            self.closed(message.reply, "no such stream")
            return
        reply = stream.replies.open(message.key, message.reply, self, message.listen, message.hold)
        if reply is not None:
            self._replies[message.reply] = stream.replies, reply

    async def _write(self, data: bytes) -> None:
        try:
            await self._websocket.send_bytes(data)
        except WebSocketDisconnect:
            return  # the reading side sees it too
