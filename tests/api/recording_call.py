"""A call workflow for the API's tests: it keeps what it is told and answers what a test has laid ready."""

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from core.contracts import names
from core.contracts.call import (
    CallInput,
    CallState,
    CarrierStatus,
    DialEnded,
    End,
    NextVerb,
    Phase,
    Say,
    StreamStatus,
    TakeOver,
    Transfer,
    Verb,
)
from core.contracts.take_over import Desk
from core.contracts.transfer import NextForRepresentative, RepresentativeAsks, RepresentativeLeg, RepresentativeVerb

AT_DESK = "at_desk"  # signal: Desk, what the query desk answers from then on
LAY_READY = "lay_ready"  # signal: NextVerb, what next_verb answers from then on
BRIEF_NEXT = "brief_next"  # signal: NextForRepresentative, the same for representative_asks
TOLD = "told"  # query: everything it was told, as text, in order
TOLD_SO_MUCH = "told_so_much"  # update: int; answers ``told`` once it was told so many different things
INPUT = "input"  # query: what it was started with
REFUSED_LINE = "refuse this"


@workflow.defn(name=names.CALL_WORKFLOW)
class RecordingCall:
    """Runs until it is told to end."""

    @workflow.init
    def __init__(self, call: CallInput) -> None:
        self._call = call
        self._told: list[str] = []
        self._next = NextVerb(Verb.CONNECT)
        self._brief = NextForRepresentative(RepresentativeVerb.HANG_UP)
        self._ended = False
        self._desk = Desk()

    @workflow.run
    async def run(self, call: CallInput) -> str:
        await workflow.wait_condition(lambda: self._ended)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return call.call_id

    @workflow.signal(name=names.CARRIER_STATUS)
    def carrier_status(self, status: CarrierStatus) -> None:
        self._told.append(repr(status))

    @workflow.signal(name=names.STREAM_STATUS)
    def stream_status(self, status: StreamStatus) -> None:
        self._told.append(repr(status))

    @workflow.signal(name=names.DIAL_ENDED)
    def dial_ended(self, ended: DialEnded) -> None:
        self._told.append(repr(ended))

    @workflow.signal(name=LAY_READY)
    def lay_ready(self, verb: NextVerb) -> None:
        self._next = verb

    @workflow.update(name=names.NEXT_VERB)
    def next_verb(self) -> NextVerb:
        return self._next

    @workflow.signal(name=BRIEF_NEXT)
    def brief_next(self, answer: NextForRepresentative) -> None:
        self._brief = answer

    @workflow.update(name=names.REPRESENTATIVE_ASKS)
    def representative_asks(self, asks: RepresentativeAsks) -> NextForRepresentative:
        self._told.append(repr(asks))
        return self._brief

    @workflow.signal(name=names.REPRESENTATIVE_LEG)
    def representative_leg(self, told: RepresentativeLeg) -> None:
        self._told.append(repr(told))

    @workflow.update(name=names.SAY)
    def say(self, line: Say) -> None:
        if line.text == REFUSED_LINE:
            raise ApplicationError("the call is being transferred")
        self._told.append(repr(line))

    @workflow.update(name=names.TRANSFER)
    def transfer(self, wanted: Transfer) -> None:
        self._told.append(repr(wanted))

    @workflow.update(name=names.TAKE_OVER)
    def take_over(self, wanted: TakeOver) -> None:
        self._told.append(repr(wanted))

    @workflow.update(name=names.END)
    def end(self, wanted: End) -> None:
        self._told.append(repr(wanted))
        self._ended = True

    @workflow.query(name=names.STATE)
    def state(self) -> CallState:
        return CallState(
            call_id=self._call.call_id,
            phase=Phase.LIVE,
            playbook=self._call.playbook.ref,
            step=self._call.playbook.start_step,
            believes={"intent": "renew"},
            confirmed={},
            done=("greeted",),
            next="ask for the policy number",
        )

    @workflow.signal(name=AT_DESK)
    def at_desk(self, desk: Desk) -> None:
        self._desk = desk

    @workflow.query(name=names.DESK)
    def desk(self) -> Desk:
        return self._desk

    @workflow.update(name=TOLD_SO_MUCH)
    async def told_so_much(self, things: int) -> list[str]:
        await workflow.wait_condition(lambda: len(set(self._told)) >= things)
        return self._told

    @workflow.query(name=TOLD)
    def told(self) -> list[str]:
        return self._told

    @workflow.query(name=INPUT)
    def input(self) -> CallInput:
        return self._call
