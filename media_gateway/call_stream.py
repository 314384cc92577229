"""One media stream of one call: the caller's audio in, the assistant's out, and what each means for the call."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import structlog

from core import dead_air
from core.contracts import names
from core.contracts.call import (
    AnswerOverdue,
    CallerSilent,
    CallerTurn,
    Heard,
    PlaybackReport,
    RecogniserFailed,
    ReplyKey,
    ReplyLost,
    StreamEnded,
    TurnTimings,
)
from core.dead_air import DeadAir, DeadAirFound
from core.keypad import KeysEntered
from core.playback import Clear, Play, Playback, PlaybackOutput, Played, SetMark, UnknownMark
from core.speculation import Foreseen, Foresight, words_key
from core.talk_over import TalkOver
from core.turns import (
    BargedIn,
    CallerWithdrew,
    EndOfTurn,
    FalseInterruption,
    Listen,
    MayBargeIn,
    RecogniserEvent,
    Silence,
    TurnDetector,
    TurnEnded,
    TurnEvent,
    TurnGoesOn,
    TurnLikelyEnded,
    TurnTaking,
    tuned,
)
from media_gateway.call_notes import CallNotes
from media_gateway.carrier_line import CarrierLine, StreamIdentity
from media_gateway.deps import GatewayDeps
from media_gateway.holding import TONE, HoldingLines
from media_gateway.kept_audio import KeptAudio
from media_gateway.kept_digits import KeptDigits
from media_gateway.latency import TurnLatency
from media_gateway.listening import Listening
from media_gateway.metrics import GatewayMetrics
from media_gateway.pressed_keys import PressedKeys
from media_gateway.replies import Replies, ReplyMaker
from media_gateway.speech_detector import SpeechDetector
from media_gateway.supervision import Supervision, SupervisorPage
from media_gateway.voice_activity import VoiceActivity
from media_gateway.workflow_line import CallOver, Refused, Unreachable, WorkflowLine

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0  # seconds between tries to attach; doubled from one to the other
TOLD_WITHIN = 1.0  # seconds for the workflow to hear that another gateway goes on
REST_MS = 300.0  # so long nobody speaks before a call is moved: what was heard is on record by then


class CallStream:
    """Puts the parts together; each decides for itself, this passes on what they decided.

    ``hear`` is the hot path: parse, keep, detect, recognise, 50 times a second, without waiting.
    """

    def __init__(
        self,
        deps: GatewayDeps,
        metrics: GatewayMetrics,
        identity: StreamIdentity,
        line: CarrierLine,
        holding: HoldingLines,
        digits: KeptDigits,
        clock: Callable[[], float],
    ) -> None:
        self.identity = identity
        self.kept = KeptAudio()
        self.holding = holding
        self._digits = digits
        self._settings = deps.settings
        self._metrics = metrics
        self._line = line
        self._clock = clock
        self._log = structlog.get_logger().bind(call_id=identity.call_id, attachment=identity.attachment)
        self._notes = CallNotes(deps.feed, identity.call_id, clock)
        self._voice = VoiceActivity()
        self._speech = SpeechDetector()
        self._detector = TurnDetector(TurnTaking(), clock())
        self._dead_air = DeadAir(deps.settings.dead_air * 1_000, deps.settings.answer * 1_000, clock())
        self._protected: ReplyKey | None = None  # the reply whose first sentences may not be interrupted
        self._playback = Playback()
        self._latency = TurnLatency()
        self._talk_over = TalkOver()
        self._over = asyncio.Event()
        self._told_end = False
        self._delivering: asyncio.Task[None]
        self._turn: int | None = None  # the number of the caller's next turn, once the workflow has told it
        self._early: list[TurnEnded] = []  # turns from before that
        self._foresight = Foresight()
        self._foreseen: Foreseen | None = None
        self.workflow = WorkflowLine(deps.temporal, identity.call_id, identity.attachment, over=self.close)
        self._keys = PressedKeys(
            clock, protected=self._speech_is_protected, cut_in=self._keys_cut_in, entered=self._keys_entered
        )
        self.replies = Replies(
            self._playback,
            clock,
            act=self._act,
            lost=self._reply_lost,
            unheeded=lambda key, heard: self._report_heard(key, heard, calmly=True),
            begins=self._listen_for,
            floor_taken=lambda: self._detector.caller_holds_floor or self._keys.entering or self.supervision.taken,
        )
        self.supervision = Supervision(
            line,
            self.workflow,
            identity.attachment,
            clock,
            deps.recogniser,
            self._notes,
            grace_s=deps.settings.take_over_grace,
            patience_s=deps.settings.recogniser,
            last_turn=lambda: (self._turn or 1) - 1,
            rules=lambda: self._detector.rules,
            taken=self._floor_taken,
            given_back=self._floor_given_back,
        )
        self._listening = Listening(
            deps.recogniser,
            heard=self._recognised,
            failed=self._recogniser_failed,
            backlog=self.kept.under_way,
            patience=deps.settings.recogniser,
        )

    async def run(self) -> None:
        """Join the call and listen until the stream has ended."""
        self._delivering = asyncio.create_task(self._deliver())
        listening = asyncio.create_task(self._listening.run())
        over = asyncio.create_task(self._over.wait())
        try:
            pending: set[asyncio.Task[Any]] = {self._delivering, listening, over}
            while over in pending:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            listening.cancel()
            over.cancel()
            await asyncio.gather(listening, over, return_exceptions=True)

    async def tell_the_rest(self) -> None:
        """After the end: wait until the workflow has heard everything, if that takes no longer than it may."""
        if self._delivering.done() or not await self.workflow.all_delivered(self._settings.delivery):
            self._log.error("events_not_delivered")
        self._delivering.cancel()
        await asyncio.gather(self._delivering, return_exceptions=True)

    def hear(self, audio: bytes) -> None:
        """The next frame of the caller's audio."""
        if self._told_end:
            return
        now_ms = self._clock()
        if self.supervision.pages:
            self.supervision.caller_heard(audio)
        voiced = self._voice.voiced(audio)
        self.kept.add(audio, voiced)
        self._listening.hear(audio, voiced, now_ms)
        speech = False
        if self._detector.assistant_speaks:
            speech = self._speech.hear(audio, voiced)
            if speech and self._protected is not None:
                self._look_after_protected(now_ms)
        if events := self._detector.hear_frame(voiced, now_ms, speech=speech):
            self._follow(events)
        if now_ms >= self._dead_air.due_ms:
            self._look_for_dead_air(now_ms)

    def _listen_for(self, key: ReplyKey, listen: Listen) -> None:
        """A reply has begun: so it, and its answer, is to be listened to."""
        self._detector.listen = listen
        self._dead_air.reach(dead_air.REPLY_OPENED)
        self._listening.retune(tuned(self._detector.rules, listen.answer))
        self._protected = key if listen.protected else None
        self._detector.protected = bool(listen.protected)
        self._keys.expect(listen.keypad)
        if listen.language and listen.language != self._detector.rules.language:
            rules = replace(self._detector.rules, language=listen.language)
            self._detector.follow(rules)
            self._listening.listen(rules)

    def enter_supervisor(self, page: SupervisorPage) -> None:
        """Somebody listens in, from what the caller hears just now on."""
        self.supervision.enter(page, self._playback.unheard(self._clock()))

    def _floor_taken(self) -> None:
        """A supervisor speaks: the assistant is silent at once, and what it was about to say is not wanted."""
        self._withdraw_foreseen()
        self._dead_air.settle()
        self.replies.cut()

    def _floor_given_back(self) -> None:
        """The caller waits for the assistant, as after a turn of theirs."""
        now_ms = self._clock()
        self._detector.turn_was_keyed(now_ms)
        self._dead_air.owe(now_ms)

    def key_pressed(self, key: str) -> None:
        """The caller has pressed a key."""
        if not self._told_end:
            self._keys.press(key)

    def _look_after_protected(self, now_ms: float) -> None:
        """Lift the protection once the sentences that need it were heard."""
        assert self._protected is not None
        if self._playback.sentences_heard(self._protected, now_ms) >= self._detector.listen.protected:
            self._protected, self._detector.protected = None, False

    def mark_returned(self, name: str) -> None:
        """The carrier has played, or dropped, all before this mark."""
        if self._told_end:
            return
        try:
            self._act(self._playback.mark_returned(name, self._clock()))
        except UnknownMark:
            self._log.warning("unknown_mark")
        else:
            self.replies.tell_so_far()

    def ended(self, *, stopped: bool, reason: str) -> None:
        """The stream is over: tell what was heard, then that it has ended."""
        self._end(stopped=stopped, reason=reason, handed_over=False)

    async def hand_over(self) -> None:
        """Have another gateway go on. The workflow hears of it before the carrier asks what comes next, so that the
        caller is told nothing of it; unless they are saying something, which is lost and has to be asked for."""
        if self._told_end:
            return
        if self._playback.playing:
            self._line.clear()
        self._end(stopped=False, reason="handed over", handed_over=not self._hears_caller)
        await self.workflow.all_delivered(TOLD_WITHIN)
        self.close("handed over")

    @property
    def _hears_caller(self) -> bool:
        """Whether the caller is saying something that the workflow has not been told."""
        speaks = self._detector.speech_under_way or self._detector.caller_holds_floor or self._foreseen is not None
        return speaks or self._keys.entering or self._turn is None

    def _end(self, *, stopped: bool, reason: str, handed_over: bool) -> None:
        if self._told_end:
            return
        self._told_end = True
        self._keys.close()
        self.supervision.end()
        self.replies.end()
        self._speech.rest()
        self._metrics.talk_overs.inc(self._detector.talk_overs)
        self._metrics.talk_over.inc(self._detector.talk_over_ms / 1_000)
        self._metrics.played.inc(self._talk_over.played_ms / 1_000)
        attachment = self.identity.attachment
        self.workflow.signal(names.STREAM_ENDED, lambda seq: StreamEnded(attachment, seq, stopped, reason, handed_over))
        self._over.set()

    @property
    def at_rest(self) -> bool:
        """Whether nobody speaks, no answer is due and nothing is being keyed in: the call can be moved unnoticed."""
        quiet_since_ms, pause_ms = self._detector.quiet_since_ms, self._clock() - REST_MS
        paused = quiet_since_ms is not None and quiet_since_ms <= pause_ms and not self._detector.voiced_since(pause_ms)
        waits = paused and not self.replies.coming_in and not self._dead_air.owed
        return waits and self._foreseen is None and not self._keys.entering and not self.supervision.pages

    def close(self, reason: str) -> None:
        """End the stream from our side; the carrier then asks what comes next."""
        self._line.close(reason)

    async def _deliver(self) -> None:
        """Goes on after the stream has ended, until everything has been told."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._attach())
            tasks.create_task(self.workflow.run())

    async def _attach(self) -> None:
        attach, pause = self.identity.attach(self._settings.internal_url), FIRST_PAUSE
        while True:
            try:
                attached = await self.workflow.attach(attach, self._settings.attach)
            except (CallOver, Refused):
                self.workflow.give_up()
                return
            except Unreachable as error:
                self._log.warning("not_attached", reason=str(error))
                if pause == FIRST_PAUSE:
                    self._notes.problem("the workflow cannot be reached; the caller is kept on the line")
                    self._hold_the_line()
                self._listening.listen(self._detector.rules)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                break
        if not attached.accepted:
            self.workflow.give_up()
            return
        self._log.info("attached", next_turn=attached.next_turn)
        self._detector.follow(attached.turn_taking)
        self._listening.listen(attached.turn_taking)
        self._turn = attached.next_turn
        for turn in self._early:
            self._report_turn(turn)

    def _recognised(self, event: RecogniserEvent) -> None:
        now_ms = self._clock()
        if self._protected is not None:
            self._look_after_protected(now_ms)
        quiet, speech_ended_ms = self._detector.quiet, self._detector.speech_ended_ms(now_ms)
        decided = self._detector.hear_recogniser(event, now_ms)
        events = self._foresight.follow(event, decided, quiet=quiet, speech_ended_ms=speech_ended_ms)
        if isinstance(event, EndOfTurn):
            self.kept.end_utterance(words=bool(event.text.strip()))
        self._follow(events)

    def _follow(self, events: Sequence[TurnEvent]) -> None:
        for event in events:
            match event:
                case MayBargeIn():
                    with self._metrics.silencing.time():
                        self.replies.hold()
                case FalseInterruption():
                    self._metrics.false_interruptions.inc()
                    self._log.info("false_interruption")
                    self.replies.go_on()
                case BargedIn():
                    self._metrics.barge_ins.inc()
                    self._log.info("barged_in")
                    self._dead_air.settle()
                    with self._metrics.silencing.time():
                        self.replies.cut()
                case TurnEnded():
                    self._turn_ended(event)
                case TurnLikelyEnded() if self._turn is not None and not self.supervision.taken:
                    self._foresee(event, self._turn)
                case TurnGoesOn():
                    self._withdraw_foreseen()
                case CallerWithdrew():
                    self._log.info("caller_withdrew")
                case Silence():
                    self._caller_silent()

    def _foresee(self, likely: TurnLikelyEnded, turn: int) -> None:
        """Have an answer made; it waits here for the turn's end."""
        now_ms = self._clock()
        timings = TurnTimings(likely.speech_ended_ms, decided_ms=now_ms, sent_ms=now_ms)
        self._foreseen = foreseen = Foreseen(turn, words_key(likely.text), timings)
        self.replies.foresee(turn, foreseen.key)
        self.workflow.turn(
            lambda seq: CallerTurn(
                attachment=self.identity.attachment,
                seq=seq,
                turn=turn,
                text=likely.text,
                confidence=likely.confidence,
                timings=timings,
                words=likely.words,
                languages=likely.languages,
                eager=True,
            ),
            self._settings.turn,
            late=lambda: None if self._foreseen is foreseen else self._hold_the_line(),
            accepted=foreseen.accept,
        )

    def _withdraw_foreseen(self) -> None:
        if self._foreseen is not None:
            foreseen, self._foreseen = self._foreseen, None
            self._notes.turn_withdrawn(foreseen.turn)
            self._metrics.withdrawn.inc()
            self.replies.withdraw()
            self.workflow.withdraw_turn()

    def _turn_ended(self, turn: TurnEnded) -> None:
        if not self.supervision.taken:
            self._dead_air.owe(self._clock())
        if self._turn is None:  # the workflow is away: it will hear of it, the caller hears that we are here
            self._early.append(turn)
            self._hold_the_line()
        else:
            self._report_turn(turn)

    def _speech_is_protected(self) -> bool:
        now_ms = self._clock()
        if self._protected is not None:
            self._look_after_protected(now_ms)
        return self._playback.playing and not self._detector.interruptible(now_ms)

    def _keys_cut_in(self) -> None:
        if self._playback.playing:
            self._metrics.barge_ins.inc()
        self._dead_air.settle()
        self.replies.cut()

    def _keys_entered(self, entered: KeysEntered) -> None:
        now_ms = self._clock()
        keyed = entered.keyed
        if keyed.sensitive and keyed.complete:
            self._digits.keep(self.identity.call_id, keyed.field, entered.digits)
        self._detector.turn_was_keyed(now_ms)
        self._turn_ended(TurnEnded(entered.text, 1.0, now_ms, words=0, keyed=keyed))

    def _report_turn(self, ended: TurnEnded) -> None:
        assert self._turn is not None
        turn, self._turn = self._turn, self._turn + 1
        now_ms = self._clock()
        timings = TurnTimings(speech_ended_ms=ended.speech_ended_ms, decided_ms=now_ms, sent_ms=now_ms)
        if ended.unended:
            self.kept.end_utterance(words=True)
        self.kept.keep(turn, self.kept.end_turn())

        def told(seq: int) -> CallerTurn:
            return CallerTurn(
                attachment=self.identity.attachment,
                seq=seq,
                turn=turn,
                text=ended.text,
                confidence=ended.confidence,
                timings=timings,
                words=ended.words,
                keyed=ended.keyed,
                languages=ended.languages,
            )

        foreseen, self._foreseen = self._foreseen, None
        if foreseen is not None and foreseen.was(turn, ended.text):
            self._latency.turn_ended(turn, foreseen.timings)
            self._dead_air.reach(dead_air.TURN_SIGNALLED)
            self.replies.let_go(turn, foreseen.key)
            self.workflow.signal(names.CALLER_TURN_AGAIN, told)
        else:
            self._latency.turn_ended(turn, timings)
            self.workflow.turn(
                told,
                self._settings.turn,
                late=self._turn_late,
                accepted=lambda: self._dead_air.reach(dead_air.TURN_ACCEPTED),
            )
        self._metrics.turns.inc()
        self._log.info("turn_ended", turn=turn, words=ended.words, pii_text=ended.text)
        self._notes.caller_turn(turn, ended)

    def _caller_silent(self) -> None:
        if self._keys.entering or self._dead_air.owed or self.supervision.taken:  # they wait for us, or nobody does
            return
        self._log.info("caller_silent")
        self.workflow.signal(names.CALLER_SILENT, lambda seq: CallerSilent(self.identity.attachment, seq))

    def _recogniser_failed(self, kind: str) -> None:
        self._notes.problem(f"the recogniser is {kind}: the caller cannot be understood")
        self.workflow.signal(names.RECOGNISER_FAILED, lambda seq: RecogniserFailed(self.identity.attachment, seq, kind))

    def _reply_lost(self, key: ReplyKey) -> None:
        self._metrics.replies_lost.inc()
        self._log.warning("reply_lost", turn=key.turn, part=key.part, attempt=key.attempt)
        self.workflow.signal(names.REPLY_LOST, lambda seq: ReplyLost(key, seq))

    def _turn_late(self) -> None:
        self._dead_air.reach(dead_air.TURN_SIGNALLED)
        self._hold_the_line()

    def _hold_the_line(self) -> None:
        """The workflow takes its time: fill the silence, unless somebody is speaking."""
        self._metrics.late.inc()
        self._fill_silence(self._holding_line)

    def _look_for_dead_air(self, now_ms: float) -> None:
        found = self._dead_air.look(None if self._keys.entering else self._detector.quiet_since_ms, now_ms)
        if found is None:
            return
        self._metrics.dead_air.labels(found.stage).inc()
        self._log.warning("dead_air", stage=found.stage, waited_ms=round(found.waited_ms))
        self._notes.problem(f"the caller waits for the assistant and hears nothing; last: {found.stage}")
        self._fill_silence(lambda: self._holding_line() or TONE)
        if found.overdue:
            self._have_answered_again(found)

    def worker_gone(self, worker: ReplyMaker) -> None:
        """If it spoke last here, or nobody did yet: another goes on, also where it was to begin and had not."""
        if self.replies.last_maker in (worker, None):
            self.replies.last_maker = None  # the next one may die before it has spoken
            self.workflow.leave_worker()
            if self.replies.coming_in:
                return
            if (unbegun := self._unbegun()) is not None:
                self._have_answered_again(unbegun)
            elif self._foreseen is not None or self._dead_air.owed:  # what the workflow knows of it is still on its way
                self._dead_air.doubt()

    def _unbegun(self) -> DeadAirFound | None:
        """The answer that the workflow has made, or is to have made, and of which nothing has come."""
        if self._foreseen is None:
            return self._dead_air.unbegun(self._clock())
        if not self._foreseen.accepted or self.replies.kept_back:
            return None
        return DeadAirFound(dead_air.TURN_FORESEEN, 0.0, overdue=False)

    def _have_answered_again(self, found: DeadAirFound) -> None:
        attachment, waited_ms = self.identity.attachment, round(found.waited_ms)
        self.workflow.signal(names.ANSWER_OVERDUE, lambda seq: AnswerOverdue(attachment, seq, found.stage, waited_ms))

    def _holding_line(self) -> bytes | None:
        return self.holding.next(self._detector.rules.language)

    def _fill_silence(self, line: Callable[[], bytes | None]) -> None:
        if self._playback.playing or self._detector.speech_under_way or self._detector.caller_holds_floor:
            return
        if self._keys.entering or self.supervision.taken:
            return
        if (audio := line()) is not None:
            self._log.info("holding_line")
            self._act(self._playback.fill(audio, self._turn or 0, self._clock()))

    def _act(self, outputs: list[PlaybackOutput]) -> None:
        for output in outputs:
            match output:
                case Play(audio, key):
                    self._line.play(audio)
                    if self.supervision.pages:
                        self.supervision.assistant_heard(audio)
                    if key is not None:
                        self._dead_air.reach(dead_air.FIRST_AUDIO)
                        self._first_audio(key)
                case SetMark(name):
                    self._line.mark(name)
                case Clear():
                    self._line.clear()
                    self.supervision.cleared()
                case Played():
                    self._report_playback(output)
        self._follow(self._detector.set_playing(self._playback.playing, self._clock()))
        if not self._playback.playing:
            self._keys.release()
        if not self._detector.assistant_speaks:
            self._speech.rest()

    def _first_audio(self, key: ReplyKey) -> None:
        now_ms = self._clock()
        replies = self.replies
        layers, latency_ms = self._latency.first_audio(key, replies.timings_of(key), replies.arrival_of(key), now_ms)
        if layers:
            self._metrics.latency.observe(latency_ms / 1_000)
            self._notes.reply_started(key.turn, layers, latency_ms)

    def _report_playback(self, played: Played) -> None:
        if played.complete and self.replies.answered(played.key):
            self._dead_air.settle()
        elif played.complete:
            self._dead_air.reach(dead_air.TOOLS)
        layers = self._latency.layers_of(played.key)
        talk_over_ms = self._talk_over.of(played.key, played.played_ms, self._detector.talk_over_ms)
        heard = Heard(played.heard, played.complete, played.interrupted, layers, played.played_ms, talk_over_ms)
        if not self.replies.tell(played.key, heard):
            self._report_heard(played.key, heard)
        self._notes.assistant_said(played, talk_over_ms)

    def _report_heard(self, key: ReplyKey, heard: Heard, *, calmly: bool = False) -> None:
        """No activity waits for it: a message of its own."""
        last = self.replies.was_last(key)
        self.workflow.signal(
            names.PLAYBACK_REPORT, lambda seq: PlaybackReport.of(key, seq, heard, last=last), calmly=calmly
        )
