"""Twilio Media Streams, message by message: a codec that does nothing else.

Source: Twilio Media Streams, WebSocket messages, bidirectional (``<Connect><Stream>``).
"""

import msgspec
import pybase64

MAX_AUDIO_BYTES = 8_000  # one second in one message; the carrier sends 20 ms


class BadMessage(Exception):
    """What the other side sent is no message of a media stream; the text says why and holds nothing of it."""


class Connected(msgspec.Struct, frozen=True, tag_field="event", tag="connected"):
    """The socket is up; nothing is known of the call yet."""


class Format(msgspec.Struct, frozen=True, rename="camel"):
    """How the audio is encoded."""

    encoding: str = "audio/x-mulaw"
    sample_rate: int = 8_000
    channels: int = 1


class StartBody(msgspec.Struct, frozen=True, rename="camel"):
    """Whose stream it is. ``custom_parameters`` are those of our TwiML."""

    stream_sid: str
    call_sid: str
    custom_parameters: dict[str, str] = {}
    media_format: Format = Format()


class Started(msgspec.Struct, frozen=True, tag_field="event", tag="start"):
    """The first message that tells whose stream it is; audio follows."""

    start: StartBody


class MediaBody(msgspec.Struct, frozen=True, gc=False):
    """``payload`` is mu-law audio, already decoded."""

    payload: bytes
    track: str = "inbound"


class Media(msgspec.Struct, frozen=True, tag_field="event", tag="media"):
    """Some of the caller's audio."""

    media: MediaBody


class DtmfBody(msgspec.Struct, frozen=True, gc=False):
    """One key."""

    digit: str


class Dtmf(msgspec.Struct, frozen=True, tag_field="event", tag="dtmf"):
    """The caller has pressed a key."""

    dtmf: DtmfBody


class MarkBody(msgspec.Struct, frozen=True, gc=False):
    """A mark's name, as we sent it."""

    name: str


class MarkReturned(msgspec.Struct, frozen=True, tag_field="event", tag="mark"):
    """All audio before this mark was played, or dropped by a clear."""

    mark: MarkBody


class Stopped(msgspec.Struct, frozen=True, tag_field="event", tag="stop"):
    """The stream is over."""


Message = Connected | Started | Media | Dtmf | MarkReturned | Stopped

_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


def decode(frame: str | bytes) -> Message:
    """One message from the carrier. Raises BadMessage, whatever the bytes are."""
    try:
        message = _decoder.decode(frame)
    except msgspec.ValidationError:
        raise BadMessage("no message of a media stream") from None  # the cause's text may hold what was sent
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise BadMessage("no JSON") from None
    if type(message) is Media and not 0 < len(message.media.payload) <= MAX_AUDIO_BYTES:
        raise BadMessage("audio of no or too great length")
    if type(message) is Started and message.start.media_format != Format():
        raise BadMessage("audio that is not 8 kHz mu-law")
    return message


class StreamWriter:
    """Writes our messages of one stream; all but the payload is made once."""

    def __init__(self, stream_sid: str) -> None:
        sid = msgspec.json.encode(stream_sid)
        self._media = b'{"event":"media","streamSid":' + sid + b',"media":{"payload":"'
        self._mark = b'{"event":"mark","streamSid":' + sid + b',"mark":{"name":"'
        self._clear = b'{"event":"clear","streamSid":' + sid + b"}"

    def media(self, audio: bytes) -> bytes:
        """Audio to play after what is queued: mu-law of any length, no header."""
        return b'%b%b"}}' % (self._media, pybase64.b64encode(audio))

    def mark(self, name: str) -> bytes:
        """Asks to be told when all audio before it was played. ``name`` holds letters, digits, ``:`` and ``.`` only."""
        return b'%b%b"}}' % (self._mark, name.encode())

    def clear(self) -> bytes:
        """Drops all queued audio; outstanding marks come back at once."""
        return self._clear
