"""One recogniser made of several: the language says who may listen, failures who takes over. Knows no vendor."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

import structlog

from core.contracts.call import Transcript
from core.ports.errors import VendorError
from core.ports.speech import Recogniser, Recognition
from core.turns import RecogniserEvent, RecogniserLost, TurnTaking
from vendors.hedging import Member, Race

log = structlog.get_logger()


@dataclass(frozen=True)
class Ear:
    """A live recogniser. ``model`` is its name in TurnTaking.recogniser, ``languages`` their first subtags."""

    model: str
    languages: frozenset[str]
    member: Member[Recogniser]


class FallbackRecogniser:
    """Implements core.ports.speech.Recogniser with several of them.

    The rules' own recogniser is asked first where it speaks the language, then the others that do, in their order.

    Args:
        ears: who can listen live.
        transcribers: who can transcribe kept audio, the first preferred.
        hedge_after: seconds without an open stream or a transcript after which the next one is asked too.
        within: seconds for all of them together.
    """

    def __init__(
        self,
        ears: Sequence[Ear],
        transcribers: Sequence[Member[Recogniser]],
        *,
        hedge_after: float = 0.8,
        within: float = 5.0,
    ) -> None:
        self._ears = ears
        self._transcribers = transcribers
        self._hedge_after = hedge_after
        self._within = within

    async def open(self, turn_taking: TurnTaking, instead_of: Recognition | None = None) -> "WatchedRecognition":
        """Open a live stream. Raises VendorError."""
        failed = instead_of if isinstance(instead_of, WatchedRecognition) else None
        if failed is not None:
            failed.blame()
        ears = self._in_order(turn_taking, failed)
        if not ears:
            raise VendorError("recogniser", "refused", f"nobody hears {turn_taking.language!r}", curable=False)
        models = {id(ear.member): ear.model for ear in ears}
        race: Race[Recogniser, Recognition] = Race(
            [ear.member for ear in ears], patience=self._hedge_after, within=self._within, discard=_close
        )
        member, stream = await race.run(
            lambda member: member.port.open(replace(turn_taking, recogniser=models[id(member)]))
        )
        log.info("recogniser_open", vendor=member.name, language=turn_taking.language)
        return WatchedRecognition(member, stream)

    async def transcribe(self, audio: bytes, language: str) -> Transcript:
        """Transcribe kept audio at once. Raises VendorError."""
        race: Race[Recogniser, Transcript] = Race(
            self._transcribers, patience=2 * self._hedge_after, within=self._within
        )
        member, transcript = await race.run(lambda member: member.port.transcribe(audio, language))
        member.circuit.succeed()
        return transcript

    def _in_order(self, rules: TurnTaking, failed: "WatchedRecognition | None") -> list[Ear]:
        language = rules.language.partition("-")[0]
        able = [ear for ear in self._ears if language in ear.languages]
        return sorted(
            able, key=lambda ear: (failed is not None and ear.member is failed.member, ear.model != rules.recogniser)
        )


class WatchedRecognition:
    """Implements core.ports.speech.Recognition: one vendor's stream, and what its breaker has to know of it."""

    def __init__(self, member: Member[Recogniser], stream: Recognition) -> None:
        self.member = member
        self.hear = stream.hear  # 50 times a second: nothing in between
        self.retune = stream.retune
        self._stream = stream
        self._blamed = False

    async def events(self) -> AsyncIterator[RecogniserEvent]:
        """What was recognised."""
        async for event in self._stream.events():
            if isinstance(event, RecogniserLost):
                self.blame(event.reason)
            else:
                self.member.circuit.succeed()
            yield event

    def blame(self, reason: str = "it said nothing") -> None:
        """The stream did not do its part; once is enough."""
        if not self._blamed:
            self._blamed = True
            self.member.failed(VendorError(self.member.name, "unavailable", f"the stream: {reason}", curable=True))

    async def close(self) -> None:
        """End the stream. A breaker that waited for it to prove itself waits no longer."""
        self.member.circuit.leave()
        await self._stream.close()


async def _close(stream: Recognition) -> None:
    await stream.close()
