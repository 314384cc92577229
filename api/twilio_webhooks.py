"""What Twilio asks and tells: voice and resume are answered with TwiML, everything else goes to the call."""

from dataclasses import dataclass
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from starlette.datastructures import FormData
from twilio.request_validator import RequestValidator

from api.answering import AnsweringPlaybooks
from api.deps import ApiDeps
from api.observe import Figures
from api.temporal import CallNotRunning, CallRefused, TemporalUnavailable
from api.twilio_twiml import Answer, Answers
from api.undelivered import CarrierMessages
from core.contracts import names
from core.contracts.call import (
    CallInput,
    CarrierStatus,
    DialEnded,
    Direction,
    NextVerb,
    StreamStatus,
    Verb,
)
from core.outcome import CarrierState
from core.ports.errors import StorageUnavailable, UnknownPlaybook
from core.stream_token import make_token

log = structlog.get_logger()

_REACHED = frozenset({"completed", "answered"})


class Signed:
    """Lets in what Twilio signed with the account's token; gives the form's text fields.

    Source: Twilio, "Validating requests": the URL is the one Twilio was given, so the public one, query included.
    """

    def __init__(self, public_url: str, auth_token: str) -> None:
        self._public_url = public_url
        self._validator = RequestValidator(auth_token) if auth_token else None

    async def __call__(self, request: Request) -> dict[str, str]:
        """The form. Raises HTTPException 403."""
        form = await _form(request)
        query = request.scope["query_string"].decode("latin-1")
        url = self._public_url + request.scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
        signature = request.headers.get("x-twilio-signature", "")
        if self._validator is None or not self._validator.validate(url, form, signature):
            log.warning("webhook_signature_refused", route=request.url.path, signed=bool(signature))
            raise HTTPException(403, "The signature is not Twilio's.")
        return {name: str(value) for name, value in form.items()}


async def _form(request: Request) -> FormData:
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return FormData()
    return await request.form()


@dataclass(frozen=True)
class Asked:
    """A webhook's request: its form, and what we wrote into its URL."""

    form: dict[str, str]
    call_id: str  # ours from the URL, else the carrier's: inbound they are the same
    is_ours: bool  # the URL names the call
    tries: int
    dialled: bool

    @property
    def carrier_call_id(self) -> str:
        """The leg's CallSid."""
        return self.form.get("CallSid", "")


def router(deps: ApiDeps, playbooks: AnsweringPlaybooks, messages: CarrierMessages, figures: Figures) -> APIRouter:
    """All of /twilio but the media socket, which the gateway serves."""
    signed = Signed(deps.settings.public_url, deps.settings.twilio_auth_token)
    routes = APIRouter(prefix="/twilio", include_in_schema=False, dependencies=[Depends(signed)])
    voice = Voice(deps, playbooks, figures)

    def asked(
        form: Annotated[dict[str, str], Depends(signed)],
        call_id: Annotated[str | None, Query(max_length=64)] = None,
        tries: Annotated[int, Query(alias="try", ge=1)] = 1,
        dialled: bool = False,
    ) -> Asked:
        carrier_call_id = form.get("CallSid", "")
        if not (call_id or carrier_call_id):
            raise HTTPException(422, "CallSid is missing.")
        return Asked(form, call_id or carrier_call_id, call_id is not None, tries, dialled)

    AskedCall = Annotated[Asked, Depends(asked)]

    def twiml(route: str, answer: Answer, asked: Asked) -> Response:
        figures.carrier_answers.labels(route, answer.kind).inc()
        log.info("carrier_answered", route=route, answer=answer.kind, call_id=asked.call_id, tries=asked.tries)
        return Response(answer.document, media_type="application/xml")

    @routes.post("/voice")
    async def answer_voice(asked: AskedCall) -> Response:
        return twiml("voice", await voice.answer(asked), asked)

    @routes.post("/resume")
    async def answer_resume(asked: AskedCall) -> Response:
        return twiml("resume", await voice.resume(asked), asked)

    @routes.post("/status", status_code=204)
    async def hear_status(asked: AskedCall) -> None:
        if status := _carrier_status(asked):
            await messages.deliver(asked.call_id, names.CARRIER_STATUS, status)

    @routes.post("/amd", status_code=204)
    async def hear_answering_machine(asked: AskedCall) -> None:
        if answered_by := asked.form.get("AnsweredBy"):
            status = CarrierStatus(asked.carrier_call_id, CarrierState.IN_PROGRESS, 0, answered_by=answered_by)
            await messages.deliver(asked.call_id, names.CARRIER_STATUS, status)

    @routes.post("/stream", status_code=204)
    async def hear_stream_status(asked: AskedCall) -> None:
        form = asked.form
        status = StreamStatus(form.get("StreamSid", ""), form.get("StreamEvent", ""), form.get("StreamError", ""))
        if status.event != "stream-started":  # the gateway's attaching says so already: no task of the call for it
            await messages.deliver(asked.call_id, names.STREAM_STATUS, status)

    return routes


class Voice:
    """Decides what a leg does next, with whatever is reachable."""

    def __init__(self, deps: ApiDeps, playbooks: AnsweringPlaybooks, figures: Figures) -> None:
        self._temporal = deps.temporal
        self._clock = deps.clock
        self._room = deps.room
        self._settings = deps.settings
        self._playbooks = playbooks
        self._figures = figures
        self._answers = Answers(deps.settings)

    async def answer(self, asked: Asked) -> Answer:
        """A leg was answered: ours by the caller, or a caller's by us."""
        try:
            if asked.is_ours:
                return await self._answer_outbound(asked)
            if self._room is not None and await self._room.none_left():
                log.warning("caller_refused", call_id=asked.call_id, reason="no gateway has room")
                return self._answers.busy()
            return await self._answer_inbound(asked)
        except CallNotRunning:
            return self._answers.hang_up()
        except UnknownPlaybook:
            return self._answers.unknown_number()
        except (TemporalUnavailable, StorageUnavailable):
            return self._answers.hold("voice", asked.tries, asked.call_id if asked.is_ours else None)

    async def resume(self, asked: Asked) -> Answer:
        """What the leg did is over: the call itself knows what is next."""
        try:
            if asked.dialled:
                status = asked.form.get("DialCallStatus", "")
                ended = DialEnded(status, reached=status in _REACHED)
                await self._temporal.signal(asked.call_id, names.DIAL_ENDED, ended)
            next_verb = await self._temporal.update(asked.call_id, names.NEXT_VERB, answer=NextVerb)
        except CallNotRunning:
            return self._answers.hang_up()
        except CallRefused as refusal:
            log.warning("call_names_no_verb", call_id=asked.call_id, reason=str(refusal))
            return self._answers.hang_up()
        except TemporalUnavailable:
            return self._answers.hold("resume", asked.tries, asked.call_id)
        return self._carry_out(next_verb, asked)

    async def _answer_inbound(self, asked: Asked) -> Answer:
        our_number = asked.form.get("To", "")
        playbook = await self._playbooks.for_number(our_number)
        call = CallInput(
            call_id=asked.call_id,
            direction=Direction.INBOUND,
            playbook=playbook,
            caller_number=asked.form.get("From") or "anonymous",
            our_number=our_number,
            carrier_call_id=asked.carrier_call_id,
            tenant=self._settings.tenant,
            timers=self._settings.timers,
            discreet=self._settings.discreet,
        )
        await self._temporal.start_call(call)
        self._figures.calls_started.labels(call.direction.value).inc()
        return self._connect(asked)

    async def _answer_outbound(self, asked: Asked) -> Answer:
        if not await self._temporal.is_running(asked.call_id):
            raise CallNotRunning(asked.call_id)
        return self._connect(asked)

    def _carry_out(self, next_verb: NextVerb, asked: Asked) -> Answer:
        match next_verb:
            case NextVerb(verb=Verb.CONNECT, line=line, after=after):
                return self._connect(asked, line, after)
            case NextVerb(verb=Verb.DIAL, number=str(number), line=line):
                return self._answers.dial(asked.call_id, number, _caller_id(asked.form), line)
            case NextVerb(verb=Verb.CONFERENCE, conference=conference):
                return self._answers.confer(asked.call_id, conference)
            case _:
                return self._answers.hang_up(next_verb.line)

    def _connect(self, asked: Asked, line: str | None = None, after: int = -1) -> Answer:
        attachment = max(int(self._clock()), after + 1)  # also when this clock was set back, or is behind
        token = make_token(self._settings.stream_secret, asked.call_id, attachment)
        return self._answers.connect(asked.call_id, token, line)


def _caller_id(form: dict[str, str]) -> str | None:
    """Ours for a leg that we dialled. For a caller's leg Twilio shows the caller's own number by itself."""
    return form.get("From") if form.get("Direction", "").startswith("outbound") else None


def _carrier_status(asked: Asked) -> CarrierStatus | None:
    form = asked.form
    state = form.get("CallStatus", "")
    if state not in set(CarrierState):
        log.warning("carrier_state_unknown", call_id=asked.call_id, state=state)
        return None
    sequence = form.get("SequenceNumber", "")
    return CarrierStatus(
        carrier_call_id=asked.carrier_call_id,
        state=CarrierState(state),
        sequence=int(sequence) if sequence.isdecimal() else 0,
        answered_by=form.get("AnsweredBy"),
        error=form.get("ErrorCode") or form.get("SipResponseCode"),
    )
