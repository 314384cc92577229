"""A world for stories of calls: a real Temporal server, a fake per port, and scripted callers."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from activities.feed import now_ms
from activities.knowledge_shelf import KnowledgeShelf
from activities.roster import Ports
from core.contracts import names
from core.contracts.call import (
    AnswerOverdue,
    Attach,
    Attached,
    CallerSilent,
    CallerTurn,
    CallInput,
    CallResult,
    CallState,
    CallTimers,
    CarrierStatus,
    Direction,
    Machine,
    NextVerb,
    Phase,
    PlaybackReport,
    ReplyKey,
    ReplyLost,
    StreamEnded,
    TurnAccepted,
    TurnTimings,
    TurnWithdrawn,
)
from core.contracts.playbook import brief_of
from core.conversation import TurnRecord
from core.ngrams import NgramEmbedder
from core.outcome import CarrierState, Disposition
from core.patience import Patience
from core.playbook import Playbook
from core.ports.campaign import CallStarter, CampaignBook
from core.recently_embedded import RecentlyEmbedded
from storage.speech_cache import KeptSpeech
from tests.world.after_fakes import FakeAfterCalls, FakeMessenger, FakeSender, FakeWebhooks
from tests.world.campaign_fakes import FakeDialGate, NoCampaigns, NoResults
from tests.world.documents_shelf import FakeDocuments, FakeVectors
from tests.world.fakes import (
    FakeCrm,
    FakeFeed,
    FakePlayback,
    FakePlaybackLine,
    FakePlaybooks,
    FakeReasoner,
    FakeRecogniser,
    FakeStepFits,
    FakeStore,
    FakeTelephony,
    FakeVoice,
)
from tests.world.playbook import orders
from tests.world.step_examples import FakeStepExamples
from workflows.worker import build_workers

PATIENCE_S = 15.0
QUICK = CallTimers(
    ring=1.0,
    attach=1.0,
    reply=3.0,
    lost_status=0.5,
    lost_dial=0.5,
    max_call=600.0,
    costs=0.5,
    after_call=Patience(first=0.05, longest=0.2),
)


class CallWorld:
    """Everything around calls."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.discreet = False  # of the calls that begin
        self.clock_ahead_ms = 0.0  # of the workers' machine
        self.reasoner = FakeReasoner()
        self.step_fits = FakeStepFits()
        self.voice = FakeVoice()
        self.speech_cache = KeptSpeech("fake", 1_000_000)
        self.recogniser = FakeRecogniser()
        self.playback = FakePlaybackLine()
        self.playbooks = FakePlaybooks()
        self.telephony = FakeTelephony()
        self.crm = FakeCrm()
        self.store = FakeStore()
        self.feed = FakeFeed()
        self.after_calls = FakeAfterCalls()
        self.webhooks = FakeWebhooks()
        self.webhook_sender = FakeSender()
        self.messenger = FakeMessenger()
        self.documents = FakeDocuments()
        self.knowledge = KnowledgeShelf(self.documents, FakeVectors(), RecentlyEmbedded(NgramEmbedder()))
        self.step_examples = FakeStepExamples()
        self.dial_gate = FakeDialGate()
        self.campaigns: CampaignBook = NoCampaigns()
        self.call_starter: CallStarter = NoCampaigns()
        self.calls: list[ScriptedCall] = []

    @property
    def ports(self) -> Ports:
        """What workers get."""
        return Ports(
            reasoner=self.reasoner,
            voice=self.voice,
            line_voice=self.voice,
            speech_cache=self.speech_cache,
            recogniser=self.recogniser,
            playback=self.playback,
            playbooks=self.playbooks,
            telephony=self.telephony,
            crm=self.crm,
            store=self.store,
            feed=self.feed,
            after_calls=self.after_calls,
            webhooks=self.webhooks,
            webhook_sender=self.webhook_sender,
            messenger=self.messenger,
            dial_gate=self.dial_gate,
            campaigns=self.campaigns,
            call_starter=self.call_starter,
            campaign_results=NoResults(),
            results_teller=NoResults(),
            knowledge=self.knowledge,
            clock=lambda: now_ms() + self.clock_ahead_ms,
            notes_after_s=0.0,
            step_examples=self.step_examples,
            step_fits=self.step_fits,
        )

    async def knows(self, playbook: str, **texts: str) -> None:
        """A playbook of this name has documents: markdown by name."""
        self.documents.texts[playbook] = {f"{name}.md": text for name, text in texts.items()}
        await self.knowledge.look()

    async def call(
        self,
        direction: Direction = Direction.INBOUND,
        playbook: Playbook | None = None,
        timers: CallTimers = QUICK,
        variables: dict[str, str] | None = None,
        caller_number: str = "+12025550123",
        machine: Machine = Machine.UNKNOWN,
        voicemail_line: str = "",
        queue: str = names.CALLS_QUEUE,
        campaign: str | None = None,
    ) -> "ScriptedCall":
        """A call that has just begun: no media stream yet."""
        call_id = f"T{uuid.uuid4().hex[:12]}"
        inbound = direction is Direction.INBOUND
        call = CallInput(
            call_id=call_id,
            direction=direction,
            playbook=brief_of(self.playbooks.put(playbook or orders())),
            caller_number=caller_number,
            our_number="+12025550001",
            carrier_call_id=f"CA{call_id}" if inbound else None,
            variables=variables or {},
            timers=timers,
            discreet=self.discreet,
            machine=machine,
            voicemail_line=voicemail_line,
            campaign=campaign,
        )
        handle = await self.client.start_workflow(
            names.CALL_WORKFLOW,
            call,
            id=names.call_workflow_id(call_id),
            task_queue=queue,
            result_type=CallResult,
        )
        scripted = ScriptedCall(self, call, handle)
        self.playback.listeners[call_id] = scripted.told
        self.calls.append(scripted)
        return scripted

    async def answered_call(
        self,
        playbook: Playbook | None = None,
        timers: CallTimers = QUICK,
        caller_number: str = "+12025550123",
    ) -> "ScriptedCall":
        """An inbound call whose caller has been greeted."""
        call = await self.call(playbook=playbook, timers=timers, caller_number=caller_number)
        await call.attach()
        await call.hears()
        return call

    async def close(self) -> None:
        """Leave no workflow behind for other tests' workers."""
        for call in self.calls:
            for workflow_id in (call.handle.id, names.after_call_workflow_id(call.id)):
                await _terminate(self.client.get_workflow_handle(workflow_id))


async def _terminate(handle: WorkflowHandle[object, object]) -> None:
    try:
        await handle.terminate("the test is over")
    except RPCError:
        return  # it has ended


class ScriptedCall:
    """A caller and the gateway that holds the call."""

    def __init__(self, world: CallWorld, call: CallInput, handle: WorkflowHandle[object, CallResult]) -> None:
        self.world = world
        self.call = call
        self.id = call.call_id
        self.handle = handle
        self.carrier_call_id = f"CA{self.id}"
        self.attachment = 0
        self.turn = 0
        self.reports = True  # the caller hears every reply to its end
        self.opened: asyncio.Queue[FakePlayback] = asyncio.Queue()
        self.pushed: asyncio.Queue[FakePlayback] = asyncio.Queue()
        self.finished: asyncio.Queue[FakePlayback] = asyncio.Queue()
        self._seqs: dict[int, int] = {}
        self._reporting: set[asyncio.Task[None]] = set()

    # The gateway

    def told(self, what: str, playback: FakePlayback) -> None:
        """Something happened to a reply."""
        queue = {"opened": self.opened, "pushed": self.pushed, "finished": self.finished}[what]
        queue.put_nowait(playback)
        if what == "finished" and self.reports and not playback.closed:
            task = asyncio.create_task(self.report(playback))
            self._reporting.add(task)
            task.add_done_callback(self._reporting.discard)

    def seq(self, attachment: int | None = None) -> int:
        """The gateway's next event number."""
        attachment = attachment or self.attachment
        self._seqs[attachment] = self._seqs.get(attachment, 0) + 1
        return self._seqs[attachment]

    async def attach(self, attachment: int | None = None) -> Attached:
        """A media stream starts."""
        self.attachment = attachment or self.attachment + 1
        answer = await self.try_attach(self.attachment)
        self.turn = answer.next_turn - 1
        return answer

    async def try_attach(self, attachment: int) -> Attached:
        """Report a stream, and no more."""
        stream_id, playback_url = f"MZ{attachment}", self.playback_url(attachment)
        attach = Attach(
            attachment,
            stream_id,
            self.carrier_call_id,
            playback_url,
            "http://gateway",
            "http://gateway/digits",
            self.desk_url(attachment),
        )
        answer: Attached = await self.handle.execute_update(names.ATTACH, attach, result_type=Attached)
        return answer

    @staticmethod
    def playback_url(attachment: int) -> str:
        """Where workers reach the gateway."""
        return f"ws://gateway-{attachment}"

    @staticmethod
    def desk_url(attachment: int) -> str:
        """Where supervisors reach it."""
        return f"ws://gateway-{attachment}/desk"

    async def report(
        self,
        playback: FakePlayback,
        heard: str | None = None,
        layers: dict[str, float] | None = None,
        *,
        last: bool = False,
        lost: bool = False,
    ) -> None:
        """Tell what the caller heard; all of it unless given, and then they had cut in, or the stream was ``lost``."""
        complete = heard is None
        report = PlaybackReport(
            key=playback.key,
            seq=self.seq(playback.key.attachment),
            heard=playback.text if heard is None else heard,
            complete=complete,
            interrupted=not (complete or lost),
            layers=layers or {},
            last=last,
        )
        await self.handle.signal(names.PLAYBACK_REPORT, report)

    async def reply_lost(self, key: ReplyKey) -> None:
        """Tell that the worker's socket broke."""
        await self.handle.signal(names.REPLY_LOST, ReplyLost(key, self.seq(key.attachment)))

    async def lose_stream(self, *, stopped: bool = False, handed_over: bool = False) -> None:
        """The media stream is over."""
        ended = StreamEnded(self.attachment, self.seq(), stopped, handed_over=handed_over)
        await self.handle.signal(names.STREAM_ENDED, ended)

    async def is_handed_over(self) -> None:
        """The gateway stops, and another one takes the call."""
        await self.lose_stream(handed_over=True)
        await self.carrier_asks()
        await self.attach()

    # The caller

    def words(self, text: str, confidence: float = 0.9) -> CallerTurn:
        """The caller's next turn as the gateway reports it."""
        self.turn += 1
        timings = TurnTimings(1.0, 2.0, 3.0)
        return CallerTurn(self.attachment, self.seq(), self.turn, text, confidence, timings, len(text.split()))

    async def probably_says(self, text: str, *languages: str) -> CallerTurn:
        """Speak, and perhaps go on: the turn as it will come again if it was one."""
        turn = replace(self.words(text), languages=languages)
        await self.send(replace(turn, eager=True))
        return turn

    async def has_said(self, turn: CallerTurn, text: str | None = None) -> None:
        """It was one, with these words."""
        again = replace(turn, seq=self.seq(), text=turn.text if text is None else text)
        await self.handle.signal(names.CALLER_TURN_AGAIN, again)

    async def goes_on(self) -> None:
        """It was none."""
        self.turn -= 1
        await self.handle.signal(names.TURN_WITHDRAWN, TurnWithdrawn(self.attachment, self.seq()))

    async def send(self, turn: CallerTurn) -> TurnAccepted:
        """Report a turn."""
        answer: TurnAccepted = await self.handle.execute_update(names.CALLER_TURN, turn, result_type=TurnAccepted)
        return answer

    async def caller_says(self, text: str, confidence: float = 0.9) -> None:
        """Speak, and wait for nothing."""
        await self.send(self.words(text, confidence))

    async def asks(self, text: str) -> str:
        """Speak, and hear the answer."""
        await self.caller_says(text)
        return await self.hears()

    async def hears(self) -> str:
        """The next whole reply."""
        return (await self.next_reply()).text

    async def next_reply(self) -> FakePlayback:
        """The next whole reply, as it came to the gateway. Its report is with the workflow."""
        async with asyncio.timeout(PATIENCE_S):
            playback = await self.finished.get()
            await asyncio.gather(*self._reporting)
        return playback

    async def next_opened(self, turn: int | None = None) -> FakePlayback:
        """The next reply that begins; of that turn."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                playback = await self.opened.get()
                if turn is None or playback.key.turn == turn:
                    return playback

    async def next_pushed(self, text: str) -> FakePlayback:
        """The reply in which this sentence was pushed last."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                playback = await self.pushed.get()
                if playback.sentences and playback.sentences[-1] == text:
                    return playback

    async def is_silent(self) -> None:
        """Say nothing for long."""
        await self.handle.signal(names.CALLER_SILENT, CallerSilent(self.attachment, self.seq()))

    async def waits_in_vain(self) -> None:
        """Hear nothing but holding lines for long."""
        await self.handle.signal(names.ANSWER_OVERDUE, AnswerOverdue(self.attachment, self.seq(), "turn_accepted", 9))

    async def hangs_up(self) -> None:
        """Leave."""
        await self.lose_stream(stopped=True)
        await self.carrier(CarrierState.COMPLETED, 9)

    # The carrier

    async def carrier(self, state: CarrierState, sequence: int = 1, *, answered_by: str | None = None) -> None:
        """A status callback."""
        status = CarrierStatus(self.carrier_call_id, state, sequence, answered_by)
        await self.handle.signal(names.CARRIER_STATUS, status)

    async def carrier_asks(self) -> NextVerb:
        """What shall it do now?"""
        answer: NextVerb = await self.handle.execute_update(names.NEXT_VERB, result_type=NextVerb)
        return answer

    async def redirected(self) -> NextVerb:
        """Wait until the workflow has the leg ask, and ask."""
        telephony = self.world.telephony
        async with asyncio.timeout(PATIENCE_S):
            await telephony.redirected.wait()
        telephony.redirected.clear()
        return await self.carrier_asks()

    # What came of it

    async def activity_has_ended(self, name: str, times: int = 1) -> None:
        """Wait for one that nobody else waits for, or for so many of them."""
        scheduled: set[int] = set()
        async with asyncio.timeout(PATIENCE_S):
            async for event in self.handle.fetch_history_events(wait_new_event=True):
                if event.activity_task_scheduled_event_attributes.activity_type.name == name:
                    scheduled.add(event.event_id)
                times -= event.activity_task_completed_event_attributes.scheduled_event_id in scheduled
                if times == 0:
                    return

    async def over(self) -> None:
        """Wait until the call counts as ended."""
        async with asyncio.timeout(PATIENCE_S):
            async for event in self.handle.fetch_history_events(wait_new_event=True):
                upserted = event.upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields
                if Phase.ENDED.value in upserted[names.PHASE_ATTRIBUTE].data.decode():
                    return

    async def result(self) -> CallResult:
        """The end."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.handle.result()

    async def disposition(self) -> Disposition:
        """How it ended."""
        return (await self.result()).disposition

    async def state(self) -> CallState:
        """The query."""
        answer: CallState = await self.handle.query(names.STATE, result_type=CallState)
        return answer

    async def transcript(self) -> list[TurnRecord]:
        """The query."""
        answer: list[TurnRecord] = await self.handle.query(names.TRANSCRIPT, result_type=list[TurnRecord])
        return answer

    async def search_attributes(self) -> dict[str, str]:
        """Those of ours."""
        pairs = (await self.handle.describe()).typed_search_attributes
        return {pair.key.name: str(pair.value) for pair in pairs if pair.key.name in names.SEARCH_ATTRIBUTES}

    async def after_call(self) -> None:
        """Wait until everything after the call is done."""
        handle = self.world.client.get_workflow_handle(names.after_call_workflow_id(self.id))
        async with asyncio.timeout(PATIENCE_S):
            await handle.result()


@asynccontextmanager
async def call_world(client: Client) -> AsyncIterator[CallWorld]:
    """A world whose workers run."""
    world = CallWorld(client)
    async with workers_of(world):
        yield world
        await world.close()


@asynccontextmanager
async def workers_of(world: CallWorld, version: str = "") -> AsyncIterator[None]:
    """Workers that know nothing of those before them; of this version, if any."""
    async with AsyncExitStack() as running:
        for worker in build_workers(world.client, world.ports, versioned=version != "", build=version):
            await running.enter_async_context(worker)
        yield
