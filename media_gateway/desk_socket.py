"""A supervisor's socket at the gateway: the API's, which passes on what their page says."""

import structlog
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from media_gateway.call_stream import CallStream
from media_gateway.desk_protocol import (
    MOST_AUDIO_BYTES,
    BadDeskMessage,
    HandBack,
    TakeOver,
    ToPage,
    decode,
    encode,
)

log = structlog.get_logger()

MOST_WAITING_BYTES = 128 * 1024  # for a page that takes it too slowly; then frames are left out


class DeskSocket(WSListener):
    """One page. Messages are read in the socket's own callback, so that a voice goes on to the carrier at once."""

    def __init__(self, stream: CallStream) -> None:
        self._stream = stream
        self._transport: WSTransport

    def pass_on(self, message: bytes) -> None:
        """Audio for the page, unless too much waits for it already."""
        waiting = self._transport.underlying_transport.get_write_buffer_size()
        if waiting < MOST_WAITING_BYTES and not self._transport.is_disconnected:
            self._transport.send(WSMsgType.BINARY, message)

    def tell(self, message: ToPage) -> None:
        """All else."""
        if not self._transport.is_disconnected:
            self._transport.send(WSMsgType.TEXT, encode(message))

    def close(self, reason: str, code: WSCloseCode = WSCloseCode.OK) -> None:
        """Nothing is to be heard any more."""
        self._transport.send_close(code, reason)
        self._transport.disconnect()

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Somebody listens."""
        self._transport = transport
        self._stream.enter_supervisor(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A supervisor's voice, or word."""
        if frame.msg_type is WSMsgType.CLOSE:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()
        elif frame.msg_type is WSMsgType.BINARY:
            audio = frame.get_payload_as_bytes()
            if 0 < len(audio) <= MOST_AUDIO_BYTES:
                self._stream.supervision.speak(self, audio)
            else:
                self._refuse("a message of audio is 1 to 1600 bytes")
        elif frame.msg_type is WSMsgType.TEXT:
            try:
                self._take(frame.get_payload_as_bytes())
            except BadDeskMessage as error:
                self._refuse(str(error))

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The page, or the API before it, is gone."""
        self._stream.supervision.leave(self)

    def _take(self, text: bytes) -> None:
        match decode(text):
            case TakeOver() as wanted:
                self._stream.supervision.take_over(self, wanted)
            case HandBack():
                self._stream.supervision.hand_back(self)

    def _refuse(self, reason: str) -> None:
        log.warning("supervisor_misunderstood", reason=reason)
        self.close(reason, WSCloseCode.UNSUPPORTED_DATA)
