"""TwiML's verbs: each is done on a live call and returns where to go on, or None for the next verb."""

import asyncio
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import TYPE_CHECKING

from sandbox.audio_code import SILENCE, speak
from sandbox.twilio.dial import dial
from sandbox.twilio.ids import new_sid
from sandbox.twilio.plan import HANG_UP, Fetch, Source
from sandbox.twilio.stream import CannotConnect, MediaStream, StreamEnd, StreamStart
from sandbox.twilio.twiml import Verb

if TYPE_CHECKING:
    from sandbox.twilio.call import Call

CARRIER_VOICE = "assistant"
LOST_STREAM_SECONDS = 60.0  # how long a call stays silent whose stream broke, if nobody redirects it
RECONNECT_SECONDS = 0.5  # what a stream that cannot connect costs before the next verb
STREAM_LOST, STREAM_REFUSED = "31903", "31920"


async def say(call: "Call", text: str) -> None:
    """Speak with the carrier's own voice, to the end."""
    if call.line is not None and text:
        await call.line.play(speak(text, CARRIER_VOICE).audio)


async def _say(call: "Call", verb: Verb) -> Source | None:
    for _ in range(int(verb.number("loop", 1)) or 100):
        await say(call, verb.text)
    return None


async def _play(call: "Call", verb: Verb) -> Source | None:
    """Digits are sent as nothing; a sound file is a second of silence: the sandbox fetches none."""
    await _be_silent(call, 1.0)
    return None


async def _pause(call: "Call", verb: Verb) -> Source | None:
    await _be_silent(call, verb.number("length", 1))
    return None


async def _be_silent(call: "Call", seconds: float) -> None:
    if call.line is not None:
        await call.line.play(SILENCE * round(seconds * 50))


async def _redirect(call: "Call", verb: Verb) -> Source | None:
    return Fetch(verb.text, verb.get("method", "POST"))


async def _hang_up(call: "Call", verb: Verb) -> Source | None:
    return HANG_UP


async def _gather(call: "Call", verb: Verb) -> Source | None:
    """Digits until enough, the finishing key or a pause; nested verbs are heard until the first of them."""
    if "speech" in verb.get("input", "dtmf") and "dtmf" not in verb.get("input", "dtmf"):
        call.warn(13335, "Gather hears keys only here, no speech")
    if call.line is None:
        return None
    keys = call.line.digits
    while not keys.empty():
        keys.get_nowait()
    digits = await _digits(call, verb, keys)
    if not digits and not verb.truth("actionOnEmptyResult", default=False):
        return None
    return Fetch(
        verb.get("action") or call.base_url, verb.get("method", "POST"), {"Digits": digits, "msg": "Gather End"}
    )


async def _digits(call: "Call", verb: Verb, keys: asyncio.Queue[str]) -> str:
    most, finish, timeout = int(verb.number("numDigits", 0)), verb.get("finishOnKey", "#"), verb.number("timeout", 5)
    digits = ""
    prompt = asyncio.create_task(_prompt(call, verb))
    key = asyncio.create_task(keys.get())
    try:
        await asyncio.wait({prompt, key}, return_when=asyncio.FIRST_COMPLETED)
        prompt.cancel()
        while True:
            await asyncio.wait({key}, timeout=timeout)
            if not key.done() or key.result() == finish:
                return digits
            digits += key.result()
            if len(digits) == most:
                return digits
            key = asyncio.create_task(keys.get())
    finally:
        prompt.cancel()
        key.cancel()
        await asyncio.wait({prompt, key})


async def _prompt(call: "Call", verb: Verb) -> None:
    for child in verb.children:
        if child.name in ("Say", "Play", "Pause"):
            await VERBS[child.name](call, child)


async def _connect(call: "Call", verb: Verb) -> Source | None:
    """Open a stream and stay until it ends. After a broken one the call goes on or not, as its person was told to."""
    noun = verb.child("Stream")
    if noun is None or call.line is None:
        call.warn(12200, "Schema validation warning: <Connect> without <Stream>")
        return None
    url = noun.get("url")
    if "?" in url:
        call.warn(31920, "Stream url must have no query string; use <Parameter>")
    parameters = {child.get("name"): child.get("value") for child in noun.children if child.name == "Parameter"}
    sid = new_sid("MZ")
    stream = MediaStream(StreamStart(call.carrier.config.account_sid, call.sid, sid, parameters), call.line)
    try:
        await stream.open(url, call.carrier.webhooks.signature(url))
    except asyncio.CancelledError:
        stream.stop()
        raise
    except CannotConnect as error:
        call.warn(int(STREAM_REFUSED), f"Stream - WebSocket - Handshake Error: {error}")
        _tell_of_stream(call, noun, sid, "stream-error", STREAM_REFUSED)
        await asyncio.sleep(RECONNECT_SECONDS)
        return await _after_broken_stream(call)
    if await _stream(call, noun, sid, stream) is StreamEnd.LOST:
        return await _after_broken_stream(call)
    return None


async def _stream(call: "Call", noun: Verb, sid: str, stream: MediaStream) -> StreamEnd:
    line = call.line
    assert line is not None
    call.carrier.state.stamp("twilio", "stream-started", sid=call.sid, stream=sid)
    _tell_of_stream(call, noun, sid, "stream-started")
    call.stream = stream
    line.connect(stream)
    try:
        end = await asyncio.shield(stream.ended)
    finally:
        call.stream = None
        line.disconnect()
        stream.stop()
        if stream.ended.result() is StreamEnd.LOST:
            call.warn(int(STREAM_LOST), "Stream - WebSocket - Connection Broken")
            _tell_of_stream(call, noun, sid, "stream-error", STREAM_LOST)
        else:
            _tell_of_stream(call, noun, sid, "stream-stopped")
        call.carrier.state.stamp("twilio", stream.ended.result().value, sid=call.sid, stream=sid)
    return end


async def _after_broken_stream(call: "Call") -> Source | None:
    if call.person_plan.lost_stream == "redirect":
        return None
    await asyncio.sleep(LOST_STREAM_SECONDS)
    return HANG_UP


def _tell_of_stream(call: "Call", noun: Verb, stream_sid: str, event: str, error: str = "") -> None:
    url = noun.get("statusCallback")
    if not url:
        return
    told = {
        "AccountSid": call.carrier.config.account_sid,
        "CallSid": call.sid,
        "StreamSid": stream_sid,
        "StreamName": noun.get("name") or stream_sid,
        "StreamEvent": event,
        "Timestamp": formatdate(usegmt=True),
    }
    if error:
        told["StreamError"] = error
    call.post_stream_status(url, told)


VERBS: dict[str, Callable[["Call", Verb], Awaitable[Source | None]]] = {
    "Connect": _connect,
    "Dial": dial,
    "Gather": _gather,
    "Hangup": _hang_up,
    "Pause": _pause,
    "Play": _play,
    "Redirect": _redirect,
    "Say": _say,
}
