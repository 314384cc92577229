"""The story of one call."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final

from temporalio import workflow
from temporalio.exceptions import ActivityError
from temporalio.workflow import ParentClosePolicy

from core.agenda import LIKELY
from core.contracts import names
from core.contracts.call import (
    CallerTurn,
    CallInput,
    CallOpening,
    CallResult,
    Direction,
    GatewayAddress,
    Phase,
    Reply,
    ReplyKey,
    Respond,
)
from core.contracts.transfer import Cause
from core.conversation import Step, ToolCall, ToolResult
from core.keypad import KeyAction
from core.live_call import Ending, LiveCall, Opening
from core.outcome import Disposition
from core.playbook import END_CALL_TOOL
from core.serving import note_for
from core.silence import silence_line
from core.timings import TRANSCRIPT, WAITED
from workflows.after_call import AfterCallWorkflow
from workflows.agenda import take_up_next
from workflows.attempts import TASK_LATER
from workflows.call_messages import CallMessages
from workflows.call_view import attributes, call_details, record_of
from workflows.coming_back import come_back
from workflows.confirmation import answer_to_read_back, follow, request_taken_back, step_of
from workflows.dialling import reach_the_person
from workflows.escalation import escalate_if_due, give_up
from workflows.fillers import keep_company
from workflows.guessing import answer_while_finding, asked_beside
from workflows.keys import keyed_step, last_said, nothing_was_asked, obey
from workflows.leg import hang_up, redirect
from workflows.mood import MoodReader
from workflows.no_more_calls import forbid_calls_if_asked
from workflows.notes import NoteTaker, recall_caller
from workflows.open_costs import OpenCosts
from workflows.replies import ReplyFailed, Speaker, until
from workflows.screening import line_at_the_door, may_screen
from workflows.take_over import end_take_over, stand_by
from workflows.tools import next_ordinal, run_tool, undo_failed_request
from workflows.transfer import announcement, company, see_to_transfers, welcome_back
from workflows.understanding import find_step, understood

TOOL_ROUNDS: Final = 4  # of one turn; a model that asks for more goes in circles
FILLER_AFTER: Final = timedelta(seconds=1.5)  # a tool that takes longer: the caller hears that we are still there
CARRIER_ASKS: Final = timedelta(seconds=1.5)  # a carrier that follows the Redirect after its stream does so by then
LOST_CARRIER_ASKS: Final = timedelta(seconds=0.8)  # ... after a broken one, which it may not: nothing is heard
LAST_WORDS: Final = timedelta(seconds=4)  # beyond their own length, until the gateway tells that they were heard
MS_A_CHARACTER: Final = 90  # of slow speech


@workflow.defn(name=names.CALL_WORKFLOW)
class CallWorkflow(CallMessages):
    """One call, from its first ring to its record. State and messages: core.live_call."""

    @workflow.init
    def __init__(self, call: CallInput | LiveCall) -> None:
        self.live = call if isinstance(call, LiveCall) else LiveCall.begin(call, _now_ms())
        self.call = self.live.call
        self.costs = OpenCosts()
        self.moods = MoodReader(self.live, self.costs)
        self.notes = NoteTaker(self.live, self.costs, self.moods)
        self.speaker = Speaker(self.live, self._speech_is_under_way, self.notes.hear_answer, self.costs)
        self._published = {
            pair.key: str(pair.value) for pair in workflow.info().typed_search_attributes.search_attributes
        }

    @workflow.run
    async def run(self, call: CallInput | LiveCall) -> CallResult:
        """A ``LiveCall``: a long call goes on in a new run."""
        limit = asyncio.create_task(self._end_when_too_long())
        transfers = asyncio.create_task(see_to_transfers(self.live, self._publish))
        forbidding = asyncio.create_task(forbid_calls_if_asked(self.live))
        try:
            if self.live.answered_ms is None:
                await reach_the_person(self.live)
            await self._talk()
        except asyncio.CancelledError:  # somebody cancelled the workflow: the person must not be left on a dead line
            self.live.end(Ending(Disposition.ENDED_BY_OPERATOR))
        limit.cancel()
        await self._take_leave()
        if self.live.transfer is not None:
            await workflow.wait_condition(lambda: self.live.transfer is None)
        transfers.cancel()
        if self.live.no_more_calls:
            await forbidding
        forbidding.cancel()
        await self.costs.come_in(self._seconds(self.call.timers.costs))
        await self._start_after_call()
        return self._result()

    async def _talk(self) -> None:
        live = self.live
        while live.ending is None:
            if live.hand_over is not None:
                await self._hand_over()
            elif live.has_left:
                await workflow.wait_condition(lambda: live.over or not live.has_left)  # they talk without us
            elif live.supervisor is not None:
                await stand_by(live, self._publish)
            elif live.gateway is None:
                await self._wait_for_stream()
            elif live.opening is not None:
                await self._greet(live.opening)
            elif live.lines:
                await self._say(live.lines.pop(0))
            elif live.inbox.turns:
                await self._answer(live.inbox.take_turns())
            elif (eager := live.inbox.take_eager()) is not None:
                await self._answer_ahead(eager)
            elif live.answer_again:
                await self._reply()
            elif live.unfinished is not None and workflow.patched("go-on-where-cut-off"):
                await self._serve_the_rest(live.unfinished)
                await self._go_where_it_leads(live.unfinished)
            elif live.silent:
                await self._ask_if_there()
            elif self._may_go_on_in_a_new_run():
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(live)
            else:
                live.idle = True
                await workflow.wait_condition(lambda: live.has_work or self._may_go_on_in_a_new_run())
                live.idle = False

    # Scenes

    async def _greet(self, opening: Opening) -> None:
        """The first words on a new media stream; the gateway gets its holding lines with them."""
        self.live.opening = None
        if opening is Opening.WELCOME_BACK and workflow.patched("go-on-where-cut-off"):
            await come_back(self.live, self._say)
        elif opening is Opening.WELCOME_BACK:
            self.live.answer_again = self.live.answer_again or self.live.unheard
            owed = self.live.owes_answer and not self.live.returning
            if owed and workflow.patched("answer-turns-of-lost-gateways"):
                self.live.answer_again = True
            await self._say(welcome_back(self.live), prepare=True)
        else:
            greeting = self.live.script.greeting
            if self.call.playbook.remembers:
                self._recalling = asyncio.create_task(recall_caller(self.live))
            await self._say(greeting, prepare=True, opening=self._opening())
            if self.live.stands(greeting):
                self.live.heed_hellos(_now_ms())

    async def _answer(self, turns: list[CallerTurn]) -> None:
        """What the caller has said since the last answer, mostly one turn, gets one answer."""
        live = self.live
        taken_ms = _now_ms()
        for turn in turns:
            text, confidence = await understood(live, turn)
            live.conversation.hear(turn.turn, text, confidence, turn.timings.decided_ms)
            live.heed_language(turn)
        live.conversation.now.tried_ms = None
        live.conversation.now.before = _spent(waited=taken_ms - live.turn_came_ms, transcript=_now_ms() - taken_ms)
        said = " ".join(turn.caller for turn in live.conversation.turns if turn.number >= turns[0].turn)
        if not said.strip():
            return
        if (line := line_at_the_door(live, said, turns[0].turn)) is not None:
            await self._say(line)
            return
        live.hear_answer_to_slots(said)
        answered = await answer_to_read_back(live, said)
        ahead = answered is None and request_taken_back(live, turns[-1].turn, said) is None
        step = step_of(answered) or keyed_step(live, turns) or await find_step(live, said, ahead=ahead)
        live.conversation.find(step)
        step, begun = await answer_while_finding(live, self.speaker, self._request, step)
        live.settle(step)
        live.feel(live.conversation.now, step.mood)
        if not await self._obey_key(obey(live, turns)):
            await self._carry_out(follow(live, answered, said))
            await self._carry_out(undo_failed_request(live))
            await self._serve(step, begun)
        await self._go_where_it_leads(step)

    async def _serve(self, step: Step, begun: Reply | None) -> None:
        """Answer the running turn, then what else the caller wants, in its order; not what a person is to answer."""
        if not step.gives_up:
            await self._reply(begun)
        await self._serve_the_rest(step)

    async def _serve_the_rest(self, step: Step) -> None:
        while not (step.escalates or step.ends_call) and take_up_next(self.live):
            await self._reply()

    async def _answer_ahead(self, turn: CallerTurn) -> None:
        """Answer what is probably a turn. The gateway keeps the answer back, and nothing counts, until it is one."""
        live = self.live
        if turn.confidence < self.call.playbook.min_confidence:
            return  # it is to be transcribed again first
        if live.language_after(turn) != live.language:
            return  # it is to be answered in a language that is not settled yet
        if may_screen(live, turn.text, turn.turn):
            return  # a line is at hand
        moving = live.tools.pending is not None or live.awaits_yes
        if moving or request_taken_back(live, turn.turn, turn.text) is not None:
            return  # a yes moves things, so it has to be one; so does what undoes them
        live.conversation.foresee(turn.turn, turn.text, turn.confidence, turn.timings.decided_ms, turn.seq)
        live.conversation.now.before = _spent(waited=_now_ms() - live.turn_came_ms)
        step = await find_step(live, turn.text)
        live.conversation.find(step)
        step, begun = await answer_while_finding(live, self.speaker, self._request, step)
        if not live.withdrawn and not step.gives_up:
            await self._reply(begun)
        if await self._settled():
            live.settle(step)
            live.feel(live.conversation.now, step.mood)
            self.moods.read_if_due()
            self.notes.take_if_due()
            await self._serve_the_rest(step)
            await self._go_where_it_leads(step)
        else:
            live.drop_eager_turn()

    async def _settled(self) -> bool:
        """Wait until it is known whether the running turn is one. No timer: the gateway tells, or is lost."""
        turn = self.live.conversation.now
        await workflow.wait_condition(lambda: turn.eager is None or self.live.interrupted)
        return turn.eager is None

    async def _go_where_it_leads(self, step: Step) -> None:
        live = self.live
        live.unfinished = step if live.gateway is None and not live.over else None
        if live.interrupted:
            return
        if step.gives_up:
            give_up(live, _now_ms())
        elif step.escalates:
            queue = self.call.playbook.queue_of(live.conversation.now.step)
            line = announcement(live, queue) if self.call.playbook.queues else None
            cause = Cause.POLICY if step.method == "policy" else Cause.REQUEST
            live.escalate(cause, _now_ms(), queue=queue, line=line)
        elif step.ends_call:
            await self._say_goodbye()
        else:
            escalate_if_due(live, _now_ms())

    async def _obey_key(self, action: KeyAction | None) -> bool:
        """Do what a single key asks for; False: an answer is wanted."""
        match action:
            case KeyAction.TRANSFER if self.live.over or self.live.transfer is not None:
                return True
            case KeyAction.REPEAT if said := last_said(self.live):
                await self._say(said)
                return True
            case KeyAction.LANGUAGE if nothing_was_asked(self.live):
                await self._say(self.live.script.greeting)
                return True
            case KeyAction.END | KeyAction.NO_CALLS:
                await self._say_goodbye()
                return True
        return False

    async def _reply(self, begun: Reply | None = None) -> None:
        """Answer the running turn: words, and as long as the model asks for tools, their results in further words.

        Args:
            begun: the first of it, where that was made already.
        """
        live = self.live
        live.answer_again = False
        if live.tools.pending is not None:
            await self._say(live.tools.pending.ask)
            return
        if line := live.conversation.now.fixed_answer():
            await self._say(line)
            return
        try:
            for _ in range(TOOL_ROUNDS):
                reply, begun = begun or await self.speaker.respond(self._request), None
                if reply is not None and not reply.closed:
                    live.conversation.now.heard_before = ()
                if reply is None or reply.closed or not reply.tool_calls or not await self._settled():
                    return
                live.conversation.now.asked_ms = live.conversation.now.asked_ms or reply.timings.started_ms
                ends = await self._run_tools(reply.tool_calls)
                if live.tools.pending is not None and not live.interrupted:
                    await self._say(live.tools.pending.ask)
                    return
                if ends and not live.interrupted:
                    await self._say_goodbye()
                if ends or live.interrupted:
                    return
            if not live.answered:
                raise ReplyFailed("the model asks for tools again and again")
        except ReplyFailed as failure:
            workflow.logger.warning("reply_failed", extra={"reason": str(failure)})
            if await self._settled():
                live.fail()

    async def _ask_if_there(self) -> None:
        """Nobody speaks: prompt, and when all prompts were in vain, end."""
        live = self.live
        script = live.script
        live.silent = False
        now = live.conversation.now
        if now.number > 0 and now.interrupted and not now.heard:  # a noise took the floor from an answer: it is ours
            await self._reply()
            return
        line = silence_line(script.silence_prompts, live.silences, last_said(live), now.step, script.helps)
        if live.transfer is not None:
            await self._say(company(live), aside=True)
            return
        if line is None:
            live.end(Ending(Disposition.CALLER_SILENT, script.farewell))
            return
        live.silences += 1
        await self._say(line, aside=True)

    async def _say_goodbye(self) -> None:
        """The call has come to its end, unless the caller cuts in."""
        for line in self.live.unsaid:
            await self._say(line)
        if not self.live.answered:
            await self._say(self.live.script.farewell)
        if await self._was_heard(lambda: self.live.interrupted) and not self.live.interrupted:
            self.live.end(Ending(Disposition.COMPLETED))

    async def _wait_for_stream(self) -> None:
        """The leg is up and there is no media stream: not yet, or not any more."""
        live = self.live
        live.phase = Phase.CONNECTING
        self._publish()

        def settled() -> bool:
            return live.gateway is not None or live.over

        lost = live.inbox.newest >= 0 and not live.carrier_asked
        patience = CARRIER_ASKS if live.stream_stopped else LOST_CARRIER_ASKS
        if lost and not await until(lambda: settled() or live.carrier_asked, patience):
            await self._call_back()
        if not settled() and not await until(settled, self._seconds(self.call.timers.attach)):
            live.end(Ending(Disposition.CONNECTION_LOST))

    async def _call_back(self) -> None:
        """The carrier has not come back by itself: have it ask us what to do."""
        try:
            await redirect(self.live)
        except ActivityError:  # there is no such leg any more
            stopped = self.live.stream_stopped
            gone = stopped or self.live.returning
            self.live.end(Ending(self.live.parting if gone else Disposition.CONNECTION_LOST))

    async def _hand_over(self) -> None:
        """Connect the caller to somebody: the leg leaves our stream, asks what to do, and is told to dial."""
        live = self.live
        await self._say_last_words(live.hand_over.line if live.hand_over and not live.hand_over.by_carrier else None)
        if live.ending is not None:
            return
        live.phase = Phase.TRANSFERRING
        self._publish()
        try:
            await redirect(live, Phase.TRANSFERRING)
        except ActivityError:
            live.end(Ending(Disposition.VENDOR_FAILURE, self.live.script.apology))
            return

        def begun() -> bool:
            return live.ending is not None or (live.hand_over is not None and live.hand_over.dialled)

        if not await until(begun, self._seconds(self.call.timers.attach)):
            live.end(Ending(Disposition.CONNECTION_LOST))
        await workflow.wait_condition(lambda: live.ending is not None or live.hand_over is None)  # they talk

    async def _take_leave(self) -> None:
        """Last words, then the line is put down."""
        live = self.live
        end_take_over(live)
        if live.ending is not None and not live.ending.by_carrier:
            await self._say_last_words(live.ending.line)
        if live.ending is not None and live.ending.by_carrier:
            await self._let_carrier_speak()
        elif not live.leg_is_over:
            await hang_up(live)
        live.phase, live.ended_ms, live.gateway = Phase.ENDED, _now_ms(), None
        self._publish()

    # Speaking

    async def _say(
        self, line: str, *, prepare: bool = False, opening: CallOpening | None = None, aside: bool = False
    ) -> None:
        try:
            await self.speaker.say(line, prepare=prepare, opening=opening, aside=aside)
            if self.live.stands(line):
                await self._was_heard(lambda: self.live.cut_off)
        except ReplyFailed as failure:
            workflow.logger.warning("line_failed", extra={"reason": str(failure)})
            if await self._settled():
                self.live.fail()

    async def _say_last_words(self, line: str | None) -> None:
        """Say the line, if there is one, and wait until everything we have said was heard."""
        try:
            if line is not None:
                await self.speaker.say(line, last=True)
            await self._was_heard(lambda: False)
        except ReplyFailed:
            self.live.lose_voice()

    async def _was_heard(self, gives_way: Callable[[], bool]) -> bool:
        """Wait for the gateway to tell what was heard; whether it was all of it. Not for longer than it can take."""
        now = self.live.conversation.now
        characters = sum(len(said.said) for said in now.utterances if said.heard is None)
        patience = LAST_WORDS + timedelta(milliseconds=MS_A_CHARACTER * characters)
        if now.outstanding:
            await until(lambda: not now.outstanding or self.live.gateway is None or gives_way(), patience)
        return not (now.utterances and now.utterances[-1].interrupted)

    async def _let_carrier_speak(self) -> None:
        """Our voice has failed: the carrier says the line before it hangs up."""
        live = self.live
        live.carrier_asked = False
        try:
            await redirect(live)
            await until(lambda: live.carrier_asked or live.leg_is_over, self._seconds(self.call.timers.attach))
        except ActivityError:
            workflow.logger.warning("redirect_failed")

    # Answering

    def _request(self, gateway: GatewayAddress, key: ReplyKey) -> Respond:
        conversation = self.live.conversation
        now = conversation.now
        return Respond(
            call_id=self.call.call_id,
            playbook=self.call.playbook.ref,
            gateway=gateway,
            key=key,
            step=now.step,
            caller_text=now.words_of_part,
            caller_number=self.call.caller_number,
            recent=(*conversation.recent(), *now.before_part()),
            tools=tuple(now.tools[now.part_from[1] :]),
            variables=self.call.variables,
            step_from_ms=now.step_from_ms,
            step_to_ms=now.step_to_ms,
            asked_ms=now.asked_ms,
            said=now.said_of_part,
            manner=self.live.manner,
            hold=self.live.hold,
            within_s=self.call.timers.reply,
            fillers=self.live.fillers,
            filler_after_ms=self.call.playbook.filler_after_ms,
            memory=self.live.memory,
            slots=now.slots if now.eager is not None or now.step_method == LIKELY else {},
            before=now.before,
            agenda=note_for(self.live.memory, self.call.playbook, now),
            finding=asked_beside(self.live, now),
            notes=self.notes.with_answer(),
            heard_before=now.heard_before,
        )

    async def _run_tools(self, calls: tuple[ToolCall, ...]) -> bool:
        """Run what the model asked for; whether the call is to end. All results are remembered, also if nobody waits.

        Ending and handing over are ours to do; other tools run side by side.
        """
        live = self.live
        await self._carry_out([run_tool(live, call, next_ordinal(live)) for call in calls])
        await self._carry_out(undo_failed_request(live))
        return any(call.name == END_CALL_TOOL for call in calls)

    async def _carry_out(self, work: Sequence[Coroutine[Any, Any, ToolResult | None]]) -> None:
        """Keep the caller company meanwhile. What has no result yet waits for the caller's yes."""
        if not work:
            return
        live = self.live
        turn = live.conversation.now
        done = asyncio.gather(*(asyncio.create_task(one) for one in work))
        if live.script.fillers:
            await keep_company(live, done, partial(self.speaker.say, aside=True))
        elif not turn.said and not await until(lambda: done.done() or live.interrupted, FILLER_AFTER):
            await self._say(live.script.holding_line, aside=True)
        results = [result for result in await done if result is not None]
        turn.tools.extend(results)
        for result in results:
            live.remember_tool(turn.number, result)

    # The end

    async def _end_when_too_long(self) -> None:
        longest = self.call.playbook.max_call_s or self.call.timers.max_call
        left = longest - (_now_ms() - self.live.started_ms) / 1_000
        await asyncio.sleep(max(0.0, left))
        await workflow.wait_condition(lambda: self.live.supervisor is None)  # they end it, or hand it back
        self.live.end(Ending(Disposition.COMPLETED, self.live.script.farewell))

    async def _start_after_call(self) -> None:
        await workflow.start_child_workflow(
            AfterCallWorkflow.run,
            record_of(self.live, self._disposition),
            id=names.after_call_workflow_id(self.call.call_id),
            task_queue=names.AFTER_CALLS_QUEUE,  # a database that is away holds back no call
            task_timeout=TASK_LATER,  # the attempt of a campaign is in flight until its end is on record
            parent_close_policy=ParentClosePolicy.ABANDON,
            static_summary=f"after call {self.call.call_id}",
        )

    def _result(self) -> CallResult:
        live = self.live
        ended_ms = live.ended_ms or _now_ms()
        talked_ms = ended_ms - (live.answered_ms or ended_ms)
        return CallResult(self.call.call_id, self._disposition, live.conversation.now.number, round(talked_ms))

    @property
    def _disposition(self) -> Disposition:
        return self.live.ending.disposition if self.live.ending else Disposition.FAILED

    # Everything else

    def _speech_is_under_way(self) -> None:
        self._publish()
        self.moods.read_if_due()
        self.notes.take_if_due()

    def _publish(self) -> None:
        """Tell those who look on. Called once speech is scheduled, so that nobody waits for it."""
        workflow.set_current_details(call_details(self.live))
        news = [pair for pair in attributes(self.live).items() if self._published.get(pair[0]) != pair[1]]
        if news:
            self._published.update(news)
            workflow.upsert_search_attributes([key.value_set(value) for key, value in news])

    def _may_go_on_in_a_new_run(self) -> bool:
        """What is under way tells this run what came of it."""
        info, most = workflow.info(), self.call.timers.run_events
        if not (0 < most <= info.get_current_history_length() or info.is_continue_as_new_suggested()):
            return False
        forbidding = self.live.no_more_calls and not self.live.calls_forbidden
        under_way = self.costs or self.live.conversation.now.outstanding or self.live.transfer is not None
        return not (under_way or forbidding)

    def _opening(self) -> CallOpening | None:
        if self.call.direction is Direction.OUTBOUND:  # told when it was dialled
            return None
        call = self.call
        return CallOpening(call.direction, call.playbook.ref, call.caller_number, call.our_number)

    @staticmethod
    def _seconds(seconds: float) -> timedelta:
        return timedelta(seconds=seconds)


def _spent(waited: float, transcript: float = 0.0) -> dict[str, float]:
    """What took time before the answer was begun, by its layer in core.timings."""
    return {layer: ms for layer, ms in ((WAITED, waited), (TRANSCRIPT, transcript)) if ms > 0}


def _now_ms() -> float:
    return workflow.time() * 1_000
