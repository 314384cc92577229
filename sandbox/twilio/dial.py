"""<Dial>: call someone and bridge the two legs, or join a conference."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from sandbox.twilio.plan import Bridge, CallPlan, Fetch, Source
from sandbox.twilio.room import Room, Seat
from sandbox.twilio.twiml import Verb

if TYPE_CHECKING:
    from sandbox.twilio.call import Call


async def dial(call: "Call", verb: Verb) -> Source | None:
    """Returns the action's URL with what became of it; without one, the next verb follows."""
    conference = verb.child("Conference")
    if conference is not None:
        told = await _join_conference(call, conference)
    else:
        told = await _call_numbers(call, verb)
    if not verb.get("action"):
        return None
    return Fetch(verb.get("action"), verb.get("method", "POST"), told)


async def stay_in(call: "Call", room: Room, seat: Seat, until: asyncio.Event) -> None:
    """Talk in a room until then, or until the leg is taken out of it."""
    line = call.line
    assert line is not None
    line.enter(room, seat)
    try:
        await until.wait()
    finally:
        line.leave_room()


async def _call_numbers(call: "Call", verb: Verb) -> dict[str, str]:
    """Ring all numbers at once; the first to answer is bridged, the others are let go."""
    numbers = [child for child in verb.children if child.name == "Number"]
    if verb.text:
        numbers.append(Verb("Number", {}, verb.text))
    if not numbers:
        call.warn(13221, "Dial: nothing here that can be dialled")
        return {"DialCallStatus": "failed", "DialCallSid": ""}
    legs = [_leg(call, verb, number) for number in numbers]
    try:
        answered = await _first_answered([leg for leg, _ in legs])
        for leg, _ in legs:
            if leg is not answered:
                leg.hang_up()
        if answered is None:
            last = legs[-1][0]
            return {"DialCallStatus": last.status, "DialCallSid": last.sid}
        bridge = next(bridge for leg, bridge in legs if leg is answered)
        await _first_set(bridge.ready, answered.over)
        await _talk(call, bridge.room, answered, verb.number("timeLimit", 14_400))
    finally:
        for leg, _ in legs:
            leg.hang_up()
    await answered.over.wait()
    return {
        "DialCallStatus": "completed",
        "DialCallSid": answered.sid,
        "DialCallDuration": str(answered.duration_seconds),
        "DialBridged": "true",
    }


async def _talk(call: "Call", room: Room, other: "Call", most_seconds: float) -> None:
    with suppress(TimeoutError):  # the time limit: who called this ends the other leg
        async with asyncio.timeout(most_seconds):
            await stay_in(call, room, room.join(), other.over)


def _leg(call: "Call", verb: Verb, number: Verb) -> tuple["Call", Bridge]:
    whisper = number.get("url")
    bridge = Bridge(Room(), Fetch(urljoin(call.base_url, whisper)) if whisper else None)
    plan = CallPlan(
        to=number.text,
        from_=verb.get("callerId") or call.plan.from_,
        direction="outbound-dial",
        first=bridge,
        status_url=urljoin(call.base_url, status) if (status := number.get("statusCallback")) else None,
        status_events=tuple(number.get("statusCallbackEvent", "completed").split()),
        ring_seconds=verb.number("timeout", 30),
        parent_sid=call.sid,
    )
    return call.carrier.dial(plan), bridge


async def _first_answered(legs: list["Call"]) -> "Call | None":
    waits = {asyncio.create_task(_first_set(leg.answered, leg.over)): leg for leg in legs}
    try:
        while pending := [task for task in waits if not task.done()]:
            await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for leg in legs:
                if leg.answered.is_set():
                    return leg
        return None
    finally:
        for task in waits:
            task.cancel()


async def _first_set(*events: asyncio.Event) -> None:
    tasks = {asyncio.create_task(event.wait()) for event in events}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


async def _join_conference(call: "Call", noun: Verb) -> dict[str, str]:
    """Stay until the conference ends, or until the leg is taken out of it."""
    conferences = call.carrier.conferences
    conference, participant = conferences.join(
        noun.text,
        call.sid,
        label=noun.get("participantLabel") or None,
        starts=noun.truth("startConferenceOnEnter", default=True),
        ends=noun.truth("endConferenceOnExit", default=False),
        muted=noun.truth("muted", default=False),
    )
    try:
        await stay_in(call, conference.room, participant.seat, participant.gone)
    finally:
        conferences.leave(conference, participant)
    return {"DialCallStatus": "completed", "ConferenceSid": conference.sid, "DialCallSid": ""}
