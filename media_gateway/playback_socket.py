"""The gateway's end of a worker's playback socket: replies come in, word of them goes back."""

from collections import OrderedDict

import structlog
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from core.contracts.call import Heard
from core.playback import Kept
from media_gateway.playback_protocol import (
    Audio,
    BadPlaybackMessage,
    Began,
    BreakOff,
    Closed,
    Finish,
    FromGateway,
    FromWorker,
    HeardOf,
    HeardSoFar,
    HoldingLines,
    Open,
    Opened,
    decode_from_worker,
    encode,
)
from media_gateway.replies import Replies, Reply
from media_gateway.streams import Streams

log = structlog.get_logger()

TOLD_REMEMBERED = 64  # of a worker that dies now, so many last words on replies may not have reached the workflow


class PlaybackSocket(WSListener):
    """One worker process and all its replies. When the socket goes, its unfinished replies are lost.

    Messages are read in the socket's own callback, so that audio goes on to the carrier in the same moment.
    """

    def __init__(self, streams: Streams) -> None:
        self._transport: WSTransport
        self._streams = streams
        self._replies: dict[int, tuple[Replies, Reply]] = {}  # coming in, or still to be heard
        self._told: OrderedDict[int, tuple[Replies, Reply]] = OrderedDict()

    def opened(self, reply: int, kept: Kept) -> None:
        """The reply may speak, after this."""
        self._send(Opened(reply, kept.sentences, kept.rest))

    def closed(self, reply: int, reason: str) -> None:
        """No more of it is wanted."""
        self._replies.pop(reply, None)
        self._send(Closed(reply, reason))

    def heard(self, reply: int, heard: Heard) -> None:
        """What the caller heard of a whole reply."""
        self._told[reply] = self._replies.pop(reply)
        if len(self._told) > TOLD_REMEMBERED:
            self._told.popitem(last=False)
        self._send(HeardOf(reply, heard))

    def heard_so_far(self, reply: int, heard: str) -> None:
        """What the caller has heard of a reply until now."""
        self._send(HeardSoFar(reply, heard))

    def close(self) -> None:
        """The gateway stops."""
        self._transport.send_close(WSCloseCode.GOING_AWAY)
        self._transport.disconnect()

    def on_ws_connected(self, transport: WSTransport) -> None:
        """A worker has come."""
        self._transport = transport
        self._streams.workers.add(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A worker's message."""
        if frame.msg_type is WSMsgType.CLOSE:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()
        elif frame.msg_type is WSMsgType.BINARY:
            try:
                self._take(decode_from_worker(frame.get_payload_as_bytes()))
            except BadPlaybackMessage:
                self._refuse()
        elif frame.msg_type is WSMsgType.TEXT:
            self._refuse()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The worker is gone."""
        log.info("worker_gone", unfinished=len(self._replies))
        self._streams.worker_gone(self)
        for replies, reply in [*self._replies.values(), *self._told.values()]:
            replies.lose(reply)

    def _send(self, message: FromGateway) -> None:
        if not self._transport.is_disconnected:
            self._transport.send(WSMsgType.BINARY, encode(message))

    def _refuse(self) -> None:
        log.error("worker_misunderstood")
        self._transport.send_close(WSCloseCode.UNSUPPORTED_DATA)
        self._transport.disconnect()

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
            reply.follows = message.follow
            self._replies[message.reply] = stream.replies, reply
