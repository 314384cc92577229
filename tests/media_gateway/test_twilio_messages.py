"""The carrier's messages: read exactly, whatever is wrong is one typed error."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from media_gateway.twilio_messages import (
    MAX_AUDIO_BYTES,
    BadMessage,
    Connected,
    Dtmf,
    MarkReturned,
    Media,
    Started,
    Stopped,
    StreamWriter,
    decode,
)
from media_gateway.twilio_signature import HandshakeSignature

START = {
    "event": "start",
    "sequenceNumber": "1",
    "streamSid": "MZ1",
    "start": {
        "accountSid": "AC1",
        "streamSid": "MZ1",
        "callSid": "CA1",
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"call_id": "CA1", "token": "1.abc"},
    },
}


def test_every_message_of_a_stream_is_understood() -> None:
    assert isinstance(decode('{"event":"connected","protocol":"Call","version":"1.0.0"}'), Connected)
    start = decode(json.dumps(START))
    assert isinstance(start, Started)
    assert (start.start.stream_sid, start.start.call_sid) == ("MZ1", "CA1")
    assert start.start.custom_parameters == {"call_id": "CA1", "token": "1.abc"}
    key = decode('{"event":"dtmf","streamSid":"MZ1","dtmf":{"track":"inbound_track","digit":"5"}}')
    assert isinstance(key, Dtmf)
    assert key.dtmf.digit == "5"
    assert isinstance(decode('{"event":"stop","streamSid":"MZ1","stop":{"callSid":"CA1"}}'), Stopped)


@given(st.binary(min_size=1, max_size=MAX_AUDIO_BYTES))
def test_audio_we_write_is_audio_we_read(audio: bytes) -> None:
    message = decode(StreamWriter("MZ1").media(audio))
    assert isinstance(message, Media)
    assert message.media.payload == audio


@given(st.text(alphabet="0123456789:.abc", min_size=1))
def test_marks_come_back_under_their_names(name: str) -> None:
    message = decode(StreamWriter("MZ1").mark(name))
    assert isinstance(message, MarkReturned)
    assert message.mark.name == name


@given(st.text())
def test_what_we_write_is_json_for_any_stream_id(stream_sid: str) -> None:
    writer = StreamWriter(stream_sid)
    assert json.loads(writer.clear()) == {"event": "clear", "streamSid": stream_sid}
    assert json.loads(writer.media(b"\xff"))["media"] == {"payload": base64.b64encode(b"\xff").decode()}


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{",
        "null",
        "[]",
        "{}",
        b"\xff\xfe",
        "\ud800",
        '{"event":"cough"}',
        '{"event":7}',
        '{"event":"media"}',
        '{"event":"media","media":{}}',
        '{"event":"media","media":{"payload":"!!"}}',
        '{"event":"media","media":{"payload":""}}',
        '{"event":"mark","mark":{"name":7}}',
        '{"event":"start","start":{"streamSid":"MZ1"}}',
        json.dumps(START | {"start": START["start"] | {"mediaFormat": {"encoding": "audio/l16"}}}),  # type: ignore[operator]
        "[" * 100_000,
        "x" * 1_000_000,
        '{"event":"media","media":{"payload":"' + "A" * 1_000_000 + '"}}',
    ],
    ids=lambda frame: repr(frame[:40]),
)
def test_a_frame_that_is_no_message_is_a_bad_message(frame: str | bytes) -> None:
    with pytest.raises(BadMessage):
        decode(frame)


@given(st.one_of(st.text(), st.binary()))
def test_no_bytes_break_the_codec(frame: str | bytes) -> None:
    with pytest.raises(BadMessage):
        decode(frame)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(["connected", "start", "media", "dtmf", "mark", "stop"]), JSON)
def test_any_json_in_a_known_message_is_read_or_refused(event: str, body: object) -> None:
    try:
        message = decode(json.dumps({"event": event, event: body}))
    except BadMessage:
        return
    assert type(message).__struct_config__.tag == event


def test_a_bad_message_says_nothing_of_what_was_sent() -> None:
    with pytest.raises(BadMessage) as caught:
        decode('{"event":"my secret"}')
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_handshake_is_valid_with_the_signature_of_the_configured_url_only() -> None:
    url = "wss://calls.example.org/twilio/media"
    signature = HandshakeSignature("secret", url)
    assert signature.valid(RequestValidator("secret").compute_signature(url, {}))
    assert not signature.valid(RequestValidator("other").compute_signature(url, {}))
    assert not signature.valid(RequestValidator("secret").compute_signature(url + "?x=1", {}))
    assert not signature.valid("")
    assert not signature.valid(None)
