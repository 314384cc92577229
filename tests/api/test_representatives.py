"""What the carrier is told to do with a representative's leg."""

import pytest

from core.contracts.call import NextVerb, Verb
from core.contracts.transfer import (
    NextForRepresentative,
    RepresentativeAsks,
    RepresentativeLeg,
    RepresentativeVerb,
)
from tests.api.recording_call import BRIEF_NEXT, LAY_READY
from tests.api.world import ApiWorld, verb, verbs

LEG = {"transfer": "1", "leg": "2"}
FORM = {"CallSid": "CAR", "CallStatus": "in-progress"}


async def test_representative_is_briefed_and_asked_for_a_key(world: ApiWorld) -> None:
    sid, _ = await world.incoming()
    brief = NextForRepresentative(RepresentativeVerb.BRIEF, "A caller & a refund. Press 1.", "de-DE")
    await world.workflow(sid).signal(BRIEF_NEXT, brief)
    answer = await world.twilio("representative", FORM, {"call_id": sid} | LEG)
    assert verbs(answer) == ["Gather"]
    say = verb(answer, "Gather/Say")
    assert (say.text, say.get("language")) == (brief.line, "de-DE")
    assert verb(answer, "Gather").get("actionOnEmptyResult") == "true"
    follow = verb(answer, "Gather").get("action") or ""
    assert follow == f"{world.origin}/twilio/representative?call_id={sid}&transfer=1&leg=2&asked=1"
    join = NextForRepresentative(RepresentativeVerb.JOIN, conference=f"{sid}-1")
    await world.workflow(sid).signal(BRIEF_NEXT, join)
    joined = await world.signed(follow, FORM | {"Digits": "1"})
    assert verbs(joined) == ["Dial", "Hangup"]
    conference = verb(joined, "Dial/Conference")
    assert (conference.text, conference.get("endConferenceOnExit")) == (f"{sid}-1", "true")
    assert await world.told(sid) == [
        repr(RepresentativeAsks(1, 2, "CAR", None)),
        repr(RepresentativeAsks(1, 2, "CAR", "1")),
    ]


async def test_caller_joins_the_conference_and_asks_again_after_it(world: ApiWorld) -> None:
    sid, _ = await world.incoming()
    await world.workflow(sid).signal(LAY_READY, NextVerb(Verb.CONFERENCE, conference=f"{sid}-1"))
    answer = await world.twilio("resume", {"CallSid": sid}, {"call_id": sid})
    assert verbs(answer) == ["Dial"]
    assert verb(answer, "Dial").get("action") == f"{world.origin}/twilio/resume?call_id={sid}&dialled=1"
    assert verb(answer, "Dial/Conference").text == f"{sid}-1"


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"CallStatus": "busy"}, RepresentativeLeg(1, 2, "CAR", "busy")),
        (
            {"AnsweredBy": "machine_start", "MachineDetectionDuration": "1500"},
            RepresentativeLeg(1, 2, "CAR", "", "machine_start"),
        ),
    ],
)
async def test_the_call_hears_of_the_leg(world: ApiWorld, form: dict[str, str], told: RepresentativeLeg) -> None:
    sid, _ = await world.incoming()
    await world.twilio("representative/status", FORM | form, {"call_id": sid} | LEG)
    assert await world.told(sid) == [repr(told)]


async def test_leg_of_a_call_that_has_ended_is_put_down(world: ApiWorld) -> None:
    answer = await world.twilio("representative", FORM, {"call_id": world.new_sid()} | LEG)
    assert verbs(answer) == ["Hangup"]


async def test_leg_waits_while_temporal_is_away_and_then_gives_up(world_without_temporal: ApiWorld) -> None:
    world = world_without_temporal
    answer = await world.twilio("representative", FORM, {"call_id": "CA1"} | LEG)
    assert verbs(answer) == ["Pause", "Redirect"]
    last = await world.twilio("representative", FORM, {"call_id": "CA1", "try": "3"} | LEG)
    assert verbs(last) == ["Hangup"]
