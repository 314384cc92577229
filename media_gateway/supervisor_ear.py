"""What a supervisor says to the caller, recognised: a stream of their own, open as long as they have the floor."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import structlog

from core.ports.speech import Recogniser
from core.turns import EagerEndOfTurn, EndOfTurn, Interim, RecogniserEvent, TurnTaking
from media_gateway.kept_audio import KeptAudio
from media_gateway.listening import Listening
from media_gateway.voice_activity import VoiceActivity

log = structlog.get_logger()


class SupervisorEar:
    """``said`` gets each utterance, ``deaf`` is called once if nothing can be recognised any more."""

    def __init__(
        self,
        recogniser: Recogniser,
        rules: TurnTaking,
        *,
        said: Callable[[str], None],
        deaf: Callable[[], None],
        patience: float,
    ) -> None:
        self._said = said
        self._words = ""  # of the utterance under way
        self._voice = VoiceActivity()
        self._kept = KeptAudio()
        self._listening = Listening(
            recogniser,
            heard=self._heard,
            failed=lambda _: deaf(),
            backlog=self._kept.under_way,
            patience=patience,
        )
        self._listening.listen(replace(rules, eager_end_of_turn_threshold=None))
        self._running = asyncio.create_task(self._listening.run())
        self._running.add_done_callback(_look_at)

    def hear(self, audio: bytes, now_ms: float) -> None:
        """The next of their audio; the microphone's hot path."""
        voiced = self._voice.voiced(audio)
        self._kept.add(audio, voiced)
        self._listening.hear(audio, voiced, now_ms)

    def close(self) -> None:
        """They speak no more: what they were in the middle of was said as far as it goes."""
        self._end_utterance(self._words)
        self._running.cancel()

    def _heard(self, event: RecogniserEvent) -> None:
        match event:
            case Interim(text) | EagerEndOfTurn(text):
                self._words = text
            case EndOfTurn(text):
                self._end_utterance(text)

    def _end_utterance(self, text: str) -> None:
        self._words = ""
        self._kept.end_utterance(words=False)
        if text.strip():
            self._said(text.strip())


def _look_at(running: "asyncio.Task[None]") -> None:
    if not running.cancelled() and (error := running.exception()) is not None:
        log.error("supervisor_ear_failed", error=type(error).__name__)
