"""The streams this process holds: one a call, the newest; soft state only."""

import asyncio
from collections import OrderedDict
from typing import Protocol

from core.stream_token import MAX_AGE_MS, BadToken, check_token
from media_gateway.call_stream import CallStream
from media_gateway.holding import HoldingLines
from media_gateway.kept_audio import KeptAudio
from media_gateway.kept_digits import KeptDigits
from media_gateway.replies import ReplyMaker

CALLS_REMEMBERED = 64  # ended streams whose audio and lines may still be asked for


class WorkerSocket(ReplyMaker, Protocol):
    """A worker's open playback socket."""

    def close(self) -> None:
        """The gateway stops."""
        ...


class Streams:
    """Live streams by call, and what is kept of the last ended ones."""

    def __init__(self, stream_secret: str, capacity: int, digits_grace: float) -> None:
        """``digits_grace``: seconds that sensitive digits outlive their stream."""
        self.digits = KeptDigits()
        self._digits_grace = digits_grace
        self._secret = stream_secret
        self._capacity = capacity
        self._live: dict[str, CallStream] = {}
        self._ended: OrderedDict[str, tuple[KeptAudio, HoldingLines]] = OrderedDict()
        self._used: OrderedDict[tuple[str, int], int] = OrderedDict()  # attachment of a token -> when it was used
        self._open = 0
        self._none_open = asyncio.Event()
        self._none_open.set()
        self.draining = False
        self.workers: set[WorkerSocket] = set()
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def room(self) -> bool:
        """Whether another stream may come in."""
        return not self.draining and len(self._live) < self._capacity

    def admit(self, call_id: str, token: str, now_ms: int) -> int:
        """The attachment number of a stream whose token is good and was not used before. Raises BadToken."""
        attachment = check_token(self._secret, call_id, token, now_ms)
        while self._used and next(iter(self._used.values())) < now_ms - 2 * MAX_AGE_MS:
            self._used.popitem(last=False)
        if (call_id, attachment) in self._used:
            raise BadToken("used before")
        live = self._live.get(call_id)
        if live is not None and live.identity.attachment > attachment:
            raise BadToken("older than the stream that has the call")
        self._used[call_id, attachment] = now_ms
        return attachment

    def entered(self) -> None:
        """A socket has come in, or the work on a stream has begun."""
        self._open += 1
        self._none_open.clear()

    def left(self) -> None:
        """It is gone, or done."""
        self._open -= 1
        if not self._open:
            self._none_open.set()

    async def all_left(self) -> None:
        """Wait until no socket is open and nothing is left to be told."""
        await self._none_open.wait()

    def holding_lines(self, call_id: str) -> HoldingLines:
        """The call's own, if this process has had the call before."""
        if (live := self._live.get(call_id)) is not None:
            return live.holding
        ended = self._ended.get(call_id)
        return ended[1] if ended else HoldingLines()

    def join(self, stream: CallStream) -> None:
        """This stream has the call from now on."""
        before = self._live.get(stream.identity.call_id)
        self._live[stream.identity.call_id] = stream
        if before is not None:
            before.close("a newer stream has the call")

    def leave(self, stream: CallStream) -> None:
        """The stream is over; what it kept stays for a while."""
        call_id = stream.identity.call_id
        if self._live.get(call_id) is not stream:
            return
        del self._live[call_id]
        asyncio.get_running_loop().call_later(self._digits_grace, self._wipe_digits, call_id)
        self._ended[call_id] = stream.kept, stream.holding
        self._ended.move_to_end(call_id)
        while len(self._ended) > CALLS_REMEMBERED:
            self._ended.popitem(last=False)

    def _wipe_digits(self, call_id: str) -> None:
        if call_id not in self._live:  # it has not come back
            self.digits.wipe(call_id)

    def find(self, call_id: str, attachment: int) -> CallStream | None:
        """The live stream of exactly this attachment."""
        stream = self._live.get(call_id)
        return stream if stream is not None and stream.identity.attachment == attachment else None

    def live(self, call_id: str) -> CallStream | None:
        """The stream that has the call now."""
        return self._live.get(call_id)

    @property
    def attachments(self) -> dict[str, int]:
        """Of the live streams, by call."""
        return {call_id: stream.identity.attachment for call_id, stream in self._live.items()}

    def worker_gone(self, worker: WorkerSocket) -> None:
        """Calls that may have been its own find another one."""
        self.workers.discard(worker)
        for stream in self._live.values():
            stream.worker_gone(worker)

    def turn_audio(self, call_id: str, turn: int) -> bytes | None:
        """The kept mu-law audio of a caller's turn."""
        if (live := self._live.get(call_id)) is not None:
            return live.kept.turn(turn)
        ended = self._ended.get(call_id)
        return ended[0].turn(turn) if ended else None

    def hand_over_at_rest(self) -> None:
        """End the streams of calls in which nothing goes on just now: another gateway takes them."""
        for stream in list(self._live.values()):
            if stream.at_rest:
                self._hand_over(stream)

    def hand_over_all(self) -> None:
        """The same at once, whatever goes on."""
        for stream in list(self._live.values()):
            self._hand_over(stream)

    def _hand_over(self, stream: CallStream) -> None:
        task = asyncio.create_task(stream.hand_over())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
