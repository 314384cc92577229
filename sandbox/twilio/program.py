"""Following TwiML, verb by verb."""

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from sandbox.state import now_ms
from sandbox.twilio.dial import stay_in
from sandbox.twilio.plan import HANG_UP, Bridge, Fetch, Inline, Note, Source
from sandbox.twilio.twiml import BadDocument, Verb, parse
from sandbox.twilio.verbs import VERBS, say
from sandbox.twilio.webhooks import WebhookFailed

if TYPE_CHECKING:
    from sandbox.twilio.call import Call

APPLICATION_ERROR = "We are sorry, an application error has occurred. Goodbye."


async def follow(call: "Call", source: Source) -> Source | None:
    """Do what the source says; returns where to go on, or None when the call ends with it."""
    if isinstance(source, Bridge):
        return await _stay_bridged(call, source)
    try:
        document = await _document(call, source)
    except (WebhookFailed, BadDocument) as error:
        return await _application_error(call, source, error)
    if document and document[0].name == "Reject" and call.answered_ms is None:
        call.rejected = "busy" if document[0].get("reason") == "busy" else "no-answer"
        return HANG_UP
    call.answer()
    return await _run(call, document)


async def _run(call: "Call", document: tuple[Verb, ...]) -> Source | None:
    for verb in document:
        run = VERBS.get(verb.name)
        if run is None:
            call.warn(12200, f"Schema validation warning: <{verb.name}> is no verb known here")
            continue
        call.verbs.append(Note(verb.name, now_ms(), verb.text))
        call.carrier.state.stamp("twilio", "verb", sid=call.sid, verb=verb.name)
        then = await run(call, verb)
        if then is not None:
            return then
    return None


async def _document(call: "Call", source: Fetch | Inline) -> tuple[Verb, ...]:
    if isinstance(source, Inline):
        return parse(source.twiml)
    url = urljoin(call.base_url, source.url)
    body = await call.carrier.webhooks.ask(url, source.method, {**call.params(), **source.params})
    call.base_url = url
    return parse(body)


async def _application_error(call: "Call", source: Source, error: WebhookFailed | BadDocument) -> Source:
    """Ask the fallback URL; without one, or when that fails too, say so and hang up."""
    call.warn(error.code, str(error))
    fallback = call.plan.fallback_url
    url = source.url if isinstance(source, Fetch) else ""
    if fallback and url != fallback:
        return Fetch(fallback, params={"ErrorCode": str(error.code), "ErrorUrl": urljoin(call.base_url, url)})
    call.answer()
    await say(call, APPLICATION_ERROR)
    return HANG_UP


async def _stay_bridged(call: "Call", bridge: Bridge) -> Source | None:
    if bridge.whisper is not None:
        try:
            then = await _run(call, await _document(call, bridge.whisper))
        except (WebhookFailed, BadDocument) as error:
            return await _application_error(call, bridge.whisper, error)
        if then is not None:
            return then
    bridge.ready.set()
    await stay_in(call, bridge.room, bridge.room.join(), asyncio.Event())
    return None
