"""Control of the carrier while it runs: people, and the calls they make and get. See docs/sandbox.md."""

from typing import Any

from fastapi import APIRouter, HTTPException, Response
from pydantic import Field

from sandbox.twilio.call import Call
from sandbox.twilio.carrier import Carrier
from sandbox.twilio.plan import PersonPlan


class CallIn(PersonPlan):
    """A person who calls one of the product's numbers."""

    from_: str = Field(alias="from")
    to: str


def router(carrier: Carrier) -> APIRouter:
    """People, their calls, and what else the product has the carrier do."""
    routes = APIRouter(prefix="/sandbox", tags=["control"])
    _add_people(routes, carrier)
    _add_calls(routes, carrier)

    @routes.get("/conferences")
    async def conferences() -> list[dict[str, Any]]:
        """All conferences."""
        return [conference.to_json() for conference in carrier.conferences.all.values()]

    @routes.get("/messages")
    async def messages() -> list[dict[str, Any]]:
        """All text messages that were sent."""
        return list(carrier.messages.values())

    return routes


def _add_calls(routes: APIRouter, carrier: Carrier) -> None:
    def found(sid: str) -> Call:
        call = carrier.calls.get(sid)
        if call is None:
            raise HTTPException(404, f"no such call: {sid}")
        return call

    @routes.post("/calls", status_code=201)
    async def call_in(call: CallIn) -> dict[str, str]:
        """A person calls one of the product's numbers."""
        return {"sid": carrier.call_in(call.from_, call.to, call).sid}

    @routes.get("/calls")
    async def calls() -> list[dict[str, Any]]:
        """All calls, oldest first."""
        return [call.to_json() for call in carrier.calls.values()]

    @routes.get("/calls/{sid}")
    async def call_told(sid: str) -> dict[str, Any]:
        """One call: state, lines said and heard, verbs, callbacks, warnings."""
        return found(sid).to_json()

    @routes.get("/calls/{sid}/over", status_code=204)
    async def over(sid: str) -> None:
        """Answers once the call is over."""
        await found(sid).over.wait()

    @routes.get("/calls/{sid}/heard")
    async def heard(sid: str) -> Response:
        """What the person has heard in the last ten seconds: mu-law, 8 kHz, quiet included."""
        line = found(sid).line
        return Response(b"".join(line.heard) if line is not None else b"", media_type="audio/basic")

    @routes.post("/calls/{sid}/hang-up", status_code=202)
    async def hang_up(sid: str) -> dict[str, str]:
        """The person hangs up."""
        found(sid).hang_up()
        return {"sid": sid}

    @routes.post("/calls/{sid}/cut-stream", status_code=202)
    async def cut_stream(sid: str) -> dict[str, str]:
        """The network between carrier and product breaks: the stream's connection is lost, no close frame."""
        stream = found(sid).stream
        if stream is None:
            raise HTTPException(409, "no stream is open")
        stream.cut()
        return {"sid": sid}


def _add_people(routes: APIRouter, carrier: Carrier) -> None:
    @routes.get("/people")
    async def people() -> dict[str, PersonPlan]:
        """Everyone who was put at a number."""
        return carrier.people

    @routes.put("/people/{number}")
    async def put_person(number: str, person: PersonPlan) -> PersonPlan:
        """How the person at this number behaves from the next call on."""
        carrier.people[number] = person
        return person

    @routes.delete("/people/{number}", status_code=204)
    async def remove_person(number: str) -> None:
        """Nobody in particular is at this number any more."""
        carrier.people.pop(number, None)
