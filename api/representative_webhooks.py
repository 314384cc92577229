"""What Twilio asks and tells of the legs of representatives whom a caller may be put through to."""

from dataclasses import dataclass
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Query, Response

from api.deps import ApiDeps
from api.observe import Figures
from api.temporal import CallNotRunning, CallRefused, TemporalUnavailable
from api.twilio_twiml import Answer, Answers
from api.twilio_webhooks import Signed
from api.undelivered import CarrierMessages
from core.contracts import names
from core.contracts.transfer import NextForRepresentative, RepresentativeAsks, RepresentativeLeg, RepresentativeVerb

log = structlog.get_logger()


@dataclass(frozen=True)
class AskedLeg:
    """A webhook's request: its form, and the leg that we wrote into its URL."""

    form: dict[str, str]
    call_id: str
    transfer: int
    leg: int
    decided: bool  # they have heard the briefing, and pressed a key or none
    tries: int

    @property
    def query(self) -> dict[str, str]:
        """The leg as our URLs name it."""
        return {"call_id": self.call_id, "transfer": str(self.transfer), "leg": str(self.leg)}


def router(deps: ApiDeps, messages: CarrierMessages, figures: Figures) -> APIRouter:
    """POST /twilio/representative, and /status under it."""
    signed = Signed(deps.settings.public_url, deps.settings.twilio_auth_token)
    routes = APIRouter(prefix="/twilio/representative", include_in_schema=False, dependencies=[Depends(signed)])
    answers = Answers(deps.settings)

    def asked(
        form: Annotated[dict[str, str], Depends(signed)],
        call_id: Annotated[str, Query(min_length=1, max_length=64)],
        transfer: Annotated[int, Query(ge=1)],
        leg: Annotated[int, Query(ge=1)],
        decided: Annotated[bool, Query(alias="asked")] = False,
        tries: Annotated[int, Query(alias="try", ge=1)] = 1,
    ) -> AskedLeg:
        return AskedLeg(form, call_id, transfer, leg, decided, tries)

    Leg = Annotated[AskedLeg, Depends(asked)]

    @routes.post("")
    async def answer_representative(asked: Leg) -> Response:
        answer = await _answer(deps, answers, asked)
        figures.carrier_answers.labels("representative", answer.kind).inc()
        log.info("carrier_answered", route="representative", answer=answer.kind, call_id=asked.call_id)
        return Response(answer.document, media_type="application/xml")

    @routes.post("/status", status_code=204)
    async def hear_representative(asked: Leg) -> None:
        form = asked.form
        machine = "MachineDetectionDuration" in form  # this callback's CallStatus is no news
        told = RepresentativeLeg(
            asked.transfer,
            asked.leg,
            form.get("CallSid", ""),
            state="" if machine else form.get("CallStatus", ""),
            answered_by=form.get("AnsweredBy", ""),
        )
        await messages.deliver(asked.call_id, names.REPRESENTATIVE_LEG, told)

    return routes


async def _answer(deps: ApiDeps, answers: Answers, asked: AskedLeg) -> Answer:
    keys = asked.form.get("Digits", "") if asked.decided else None
    asks = RepresentativeAsks(asked.transfer, asked.leg, asked.form.get("CallSid", ""), keys)
    try:
        following = await deps.temporal.update(
            asked.call_id, names.REPRESENTATIVE_ASKS, asks, answer=NextForRepresentative
        )
    except (CallNotRunning, CallRefused):
        return answers.hang_up()
    except TemporalUnavailable:
        return answers.wait(asked.query, asked.tries)  # a key that was pressed is lost: they are asked again
    match following.verb:
        case RepresentativeVerb.BRIEF:
            return answers.brief(asked.query, following.line, following.language)
        case RepresentativeVerb.JOIN:
            return answers.join(following.conference)
        case _:
            return answers.hang_up()
