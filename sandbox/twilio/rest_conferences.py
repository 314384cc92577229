"""Twilio's REST API: conferences and their participants.

Source: https://www.twilio.com/docs/voice/api/conference-participant-resource
"""

from typing import Any
from xml.sax.saxutils import escape, quoteattr

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from sandbox.state import now_ms
from sandbox.twilio.carrier import Carrier
from sandbox.twilio.conference import Conference, Participant
from sandbox.twilio.plan import CallPlan, Inline
from sandbox.twilio.resources import conference_resource, participant_resource
from sandbox.twilio.rest import PREFIX, check_number, paged, status_events
from sandbox.twilio.rest_route import not_found, route_class
from sandbox.twilio.room import Seat


def router(carrier: Carrier) -> APIRouter:
    """Conferences and participants."""
    routes = APIRouter(route_class=route_class(carrier), include_in_schema=False)
    _add_conferences(routes, carrier)
    _add_participants(routes, carrier)
    return routes


def _add_conferences(routes: APIRouter, carrier: Carrier) -> None:
    config = carrier.config

    @routes.get(f"{PREFIX}/Conferences.json")
    async def list_conferences(request: Request) -> dict[str, Any]:
        asked = request.query_params
        shown = [
            conference_resource(each, config)
            for each in reversed(carrier.conferences.all.values())
            if asked.get("FriendlyName", each.name) == each.name and asked.get("Status", each.status) == each.status
        ]
        return paged("conferences", shown, request)

    @routes.get(f"{PREFIX}/Conferences/{{sid}}.json")
    async def fetch_conference(sid: str, request: Request) -> dict[str, Any]:
        return conference_resource(_conference(carrier, sid, request), config)

    @routes.post(f"{PREFIX}/Conferences/{{sid}}.json")
    async def update_conference(sid: str, request: Request) -> dict[str, Any]:
        conference = _conference(carrier, sid, request)
        if (await request.form()).get("Status") == "completed":
            conference.end()
        return conference_resource(conference, config)


def _add_participants(routes: APIRouter, carrier: Carrier) -> None:
    def shown(conference: Conference, participant: Participant) -> dict[str, Any]:
        return participant_resource(conference, participant, carrier.config, "connected")

    @routes.get(f"{PREFIX}/Conferences/{{sid}}/Participants.json")
    async def list_participants(sid: str, request: Request) -> dict[str, Any]:
        conference = _conference(carrier, sid, request)
        listed = [shown(conference, each) for each in conference.participants.values()]
        return paged("participants", listed, request)

    @routes.post(f"{PREFIX}/Conferences/{{sid}}/Participants.json", status_code=201)
    async def create_participant(sid: str, request: Request) -> dict[str, Any]:
        return await _dial_in(carrier, sid, request)

    @routes.get(f"{PREFIX}/Conferences/{{sid}}/Participants/{{who}}.json")
    async def fetch_participant(sid: str, who: str, request: Request) -> dict[str, Any]:
        return shown(*_participant(carrier, sid, who, request))

    @routes.post(f"{PREFIX}/Conferences/{{sid}}/Participants/{{who}}.json")
    async def update_participant(sid: str, who: str, request: Request) -> dict[str, Any]:
        conference, participant = _participant(carrier, sid, who, request)
        form = await request.form()
        participant.seat.muted = _truth(form.get("Muted"), participant.seat.muted)
        participant.seat.on_hold = _truth(form.get("Hold"), participant.seat.on_hold)
        participant.ends_conference = _truth(form.get("EndConferenceOnExit"), participant.ends_conference)
        return shown(conference, participant)

    @routes.delete(f"{PREFIX}/Conferences/{{sid}}/Participants/{{who}}.json", status_code=204)
    async def remove_participant(sid: str, who: str, request: Request) -> Response:
        _, participant = _participant(carrier, sid, who, request)
        participant.gone.set()
        return Response(status_code=204)


def _conference(carrier: Carrier, sid_or_name: str, request: Request) -> Conference:
    conference = carrier.conferences.find(sid_or_name)
    if conference is None:
        raise not_found(request)
    return conference


def _participant(
    carrier: Carrier, sid_or_name: str, call_or_label: str, request: Request
) -> tuple[Conference, Participant]:
    conference = _conference(carrier, sid_or_name, request)
    participant = conference.find(call_or_label)
    if participant is None:
        raise not_found(request)
    return conference, participant


async def _dial_in(carrier: Carrier, name: str, request: Request) -> dict[str, Any]:
    """Call someone and have them join."""
    form = await request.form()
    conference = carrier.conferences.open(name)
    participant = Participant(
        call_sid="",
        seat=Seat(muted=_truth(form.get("Muted"), False)),
        label=str(form["Label"]) if form.get("Label") else None,
        ends_conference=_truth(form.get("EndConferenceOnExit"), False),
        starts_conference=_truth(form.get("StartConferenceOnEnter"), True),
        joined_ms=now_ms(),
    )
    call = carrier.dial(
        CallPlan(
            to=check_number(form.get("To"), missing=21201, bad=21211, what="To"),
            from_=check_number(form.get("From"), missing=21213, bad=21212, what="From"),
            direction="outbound-api",
            first=Inline(_join_twiml(conference, participant)),
            status_url=str(form["StatusCallback"]) if form.get("StatusCallback") else None,
            status_events=status_events(form),
            ring_seconds=float(str(form.get("Timeout") or 60)),
        )
    )
    participant.call_sid = call.sid
    return participant_resource(conference, participant, carrier.config, "queued")


def _join_twiml(conference: Conference, participant: Participant) -> str:
    attributes = {
        "participantLabel": participant.label or "",
        "endConferenceOnExit": str(participant.ends_conference).lower(),
        "startConferenceOnEnter": str(participant.starts_conference).lower(),
        "muted": str(participant.seat.muted).lower(),
    }
    written = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    return f"<Response><Dial><Conference{written}>{escape(conference.name)}</Conference></Dial></Response>"


def _truth(value: object, otherwise: bool) -> bool:
    return otherwise if value is None else str(value).lower() == "true"
