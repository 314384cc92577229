"""Has the assistant speak: replies and lines, through lost sockets, slow vendors and callers who cut in."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutType
from temporalio.exceptions import TimeoutError as TimedOut

from core.contracts.call import CallOpening, GatewayAddress, Reply, ReplyKey, Respond, SoFar, SpeakLine
from core.conversation import Conversation, Turn, Utterance
from core.live_call import LiveCall
from core.timings import RETRIED
from workflows.attempts import ONCE
from workflows.open_costs import OpenCosts

with workflow.unsafe.imports_passed_through():
    from activities.conversation import ConversationActivities
    from activities.retries import PLAYBACK_LOST
    from activities.speech import SpeechActivities

ATTEMPTS: Final = 3
ATTEMPT_PAUSE: Final = timedelta(milliseconds=200)
LONGEST_PAUSE: Final = timedelta(seconds=2)  # a vendor that wants to be left alone for longer is of no use to a caller
HEARING: Final = timedelta(minutes=3)  # on top of making it: no reply plays longer; its activity has its own deadlines
FREE_SLOT: Final = timedelta(seconds=5)  # workers are that busy: an apology now beats an answer later

Start = Callable[[GatewayAddress, ReplyKey], workflow.ActivityHandle[Reply]]


class ReplyFailed(Exception):
    """The assistant could not speak, and trying again is of no use."""


class Speaker:
    """Speaks in one call. A retry is a new attempt of the same part, which the gateway tells from the one before."""

    def __init__(
        self,
        live: LiveCall,
        scheduled: Callable[[], None],
        answered: Callable[[Turn, asyncio.Task[Reply]], None],
        costs: OpenCosts,
    ) -> None:
        """``scheduled`` is called once speech is under way: what must not hold it up goes there.

        ``answered``: an answer is over, however it went.
        """
        self._live = live
        self._scheduled = scheduled
        self._answered = answered
        self._costs = costs

    async def respond(self, request: Callable[[GatewayAddress, ReplyKey], Respond]) -> Reply | None:
        """Answer the running turn. None: cut off before it was whole, or its maker is gone. Raises ReplyFailed."""

        def start(gateway: GatewayAddress, key: ReplyKey) -> workflow.ActivityHandle[Reply]:
            handle = workflow.start_activity_method(
                ConversationActivities.respond,
                request(gateway, key),
                schedule_to_start_timeout=FREE_SLOT,
                start_to_close_timeout=self._patience + HEARING,
                heartbeat_timeout=self._patience,  # the gateway tells of a lost worker at once
                retry_policy=ONCE,  # a retry needs a new key: the loop in _deliver makes it
                summary=_summary(key, "reply"),
            )
            handle.add_done_callback(partial(_count_filler, self._live, self._live.conversation.now))
            handle.add_done_callback(partial(_go_along, self._live.conversation.now))
            handle.add_done_callback(partial(self._answered, self._live.conversation.now))
            return handle

        return await self._deliver(start, lambda: self._live.interrupted)

    async def say(
        self,
        line: str,
        *,
        prepare: bool = False,
        opening: CallOpening | None = None,
        last: bool = False,
        aside: bool = False,
    ) -> Reply | None:
        """Speak one line. ``last``: nothing the caller says stops it. None: cut off. Raises ReplyFailed.

        What is said ``aside`` is not made up for when its stream is lost.
        A line that stands is not overtaken by an answer to newer words; the caller may cut what follows it short.
        """

        def start(gateway: GatewayAddress, key: ReplyKey) -> workflow.ActivityHandle[Reply]:
            live = self._live
            return workflow.start_activity_method(
                SpeechActivities.speak_line,
                SpeakLine(
                    call_id=live.call.call_id,
                    playbook=live.call.playbook.ref,
                    gateway=gateway,
                    key=key,
                    line=line,
                    prepare=prepare,
                    opening=opening,
                    manner=live.manner,
                    step=live.conversation.now.step,
                    step_from_ms=live.conversation.now.step_from_ms,
                    step_to_ms=live.conversation.now.step_to_ms,
                    hold=live.hold,
                    within_s=live.call.timers.reply,
                    before=live.conversation.now.before,
                ),
                schedule_to_start_timeout=FREE_SLOT,
                start_to_close_timeout=self._patience + HEARING,
                heartbeat_timeout=self._patience,
                retry_policy=ONCE,
                summary=_summary(key, _told(line, discreet=live.call.discreet)),
            )

        stands = self._live.stands(line)
        return await self._deliver(
            start, lambda: not last and (self._live.cut_off if stands else self._live.interrupted), line, aside=aside
        )

    @property
    def _patience(self) -> timedelta:
        return timedelta(seconds=self._live.call.timers.reply)

    async def _deliver(
        self, start: Start, gives_way: Callable[[], bool], line: str = "", *, aside: bool = False
    ) -> Reply | None:
        """Speech that gives way is left to itself: the gateway closes it, and what it cost is still written down."""
        live = self._live
        if live.gateway is None:
            return None
        utterance = live.conversation.speak(live.gateway.attachment, line, aside=aside)
        began = workflow.time()
        while live.gateway is not None and live.gateway.attachment == utterance.attachment:
            key = live.key(utterance)
            _count_tries(live.conversation.now)
            handle = start(live.gateway, key)
            handle.add_done_callback(partial(_write_down, live.conversation, live.conversation.now, utterance))
            self._costs.expect(handle)
            self._scheduled()
            await self._outcome(handle, utterance, key, gives_way)
            if handle.done():
                try:
                    return await handle
                except ActivityError as error:
                    await self._judge(error, utterance, began, gives_way)
            elif utterance.over:
                handle.cancel()
                return None
            elif live.lost is not None and live.lost.key == key:
                handle.cancel()
            elif live.overdue and not gives_way():
                handle.cancel()
                if utterance.attempt >= ATTEMPTS:
                    utterance.heard = utterance.heard or ""
                    raise ReplyFailed("the caller has waited for too long")
            else:
                return None
            utterance.attempt += 1
        return None

    async def _outcome(
        self, handle: workflow.ActivityHandle[Reply], utterance: Utterance, key: ReplyKey, gives_way: Callable[[], bool]
    ) -> None:
        """Wait until it is spoken, broken, or has to give way. No timer: the activity has its own."""
        live = self._live

        def moved() -> bool:
            return live.gateway is None or live.gateway.attachment != utterance.attachment

        def broken() -> bool:
            return live.lost is not None and live.lost.key == key

        live.overdue = False
        await workflow.wait_condition(
            lambda: handle.done() or utterance.over or broken() or moved() or gives_way() or live.overdue
        )

    async def _judge(
        self, error: ActivityError, utterance: Utterance, began: float, gives_way: Callable[[], bool]
    ) -> None:
        """Return if another attempt may help, after the pause it needs. Raises ReplyFailed."""
        failure = error.cause
        if isinstance(failure, ApplicationError) and failure.type == PLAYBACK_LOST:
            if utterance.attempt > 1:  # the way to the gateway is gone, not only one socket
                self._live.lose_stream(stopped=False)
            return
        if isinstance(failure, TimedOut) and failure.type is TimeoutType.HEARTBEAT and utterance.attempt < ATTEMPTS:
            return  # its worker has died, which takes as long to be missed as any vendor is waited for
        hopeless = isinstance(failure, ApplicationError) and failure.non_retryable
        late = workflow.time() - began >= self._patience.total_seconds()
        if hopeless or late or utterance.attempt >= ATTEMPTS:
            utterance.heard = utterance.heard or ""
            raise ReplyFailed(str(failure)) from error
        if isinstance(failure, ApplicationError):
            pause = failure.next_retry_delay or ATTEMPT_PAUSE
            if pause > LONGEST_PAUSE:
                utterance.heard = utterance.heard or ""
                raise ReplyFailed(str(failure)) from error
            await until(gives_way, pause)


def _write_down(conversation: Conversation, turn: Turn, utterance: Utterance, made: asyncio.Task[Reply]) -> None:
    if made.cancelled():
        return
    if (error := made.exception()) is not None:
        _note_how_far(utterance, error)
        return
    reply = made.result()
    utterance.said, utterance.whole = reply.text, not reply.closed
    utterance.take_so_far(reply.so_far)
    turn.told_from = tuple(dict.fromkeys((*turn.told_from, *reply.told_from)))
    if not reply.text and utterance.heard is None:
        utterance.heard = ""  # tool calls only: nothing to hear
    conversation.spend(turn, reply.usage)
    conversation.beside += reply.beside
    if reply.heard is not None:
        utterance.heard, utterance.interrupted = reply.heard.text, reply.heard.interrupted
        utterance.played_ms, utterance.talk_over_ms = reply.heard.played_ms, reply.heard.talk_over_ms
        turn.layers = dict(reply.heard.layers) or turn.layers


def _note_how_far(utterance: Utterance, error: BaseException) -> None:
    """The gateway has died under it; a try that did not even reach one knows nothing."""
    failure = error.cause if isinstance(error, ActivityError) else None
    if isinstance(failure, ApplicationError) and failure.type == PLAYBACK_LOST and failure.details:
        so_far = SoFar(**failure.details[0])
        utterance.made = so_far.made
        utterance.take_so_far(so_far.heard)


def _count_tries(turn: Turn) -> None:
    """What attempts before this one took is no hop. Those that follow tools count as theirs."""
    now_ms = workflow.time() * 1_000
    if turn.tried_ms is None:
        turn.tried_ms = now_ms
    elif turn.asked_ms is None:
        turn.before[RETRIED] = now_ms - turn.tried_ms


def _go_along(turn: Turn, made: asyncio.Task[Reply]) -> None:
    """A transition has become due in the turn, so the answer was made in another step."""
    if not made.cancelled() and made.exception() is None:
        turn.step = made.result().step or turn.step


def _count_filler(live: LiveCall, turn: Turn, made: asyncio.Task[Reply]) -> None:
    """Those of an attempt that failed are told by the next one, which finds them at the gateway.

    Nobody has heard those of an answer made ahead that was withdrawn.
    """
    if made.cancelled() or made.exception() is not None:
        return
    reply = made.result()
    if not (turn.dropped or (turn.eager is not None and reply.closed)):
        live.count_fillers(turn, reply.fillers)


async def until(condition: Callable[[], bool], at_most: timedelta) -> bool:
    """Whether it came true in time."""
    try:
        await workflow.wait_condition(condition, timeout=at_most)
    except TimeoutError:
        return False
    return True


def _told(line: str, *, discreet: bool) -> str:
    if not line:
        return "prepare the gateway"
    return "say a line" if discreet else f"say “{line[:60]}”"


def _summary(key: ReplyKey, what: str) -> str:
    part = f" part {key.part}" if key.part else ""
    attempt = f", attempt {key.attempt}" if key.attempt > 1 else ""
    return f"turn {key.turn}{part}: {what}{attempt}"
