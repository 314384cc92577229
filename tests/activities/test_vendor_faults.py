"""An answer through the faults of its vendors: whole, each sentence once, over real sockets to the sandbox."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from temporalio.testing import ActivityEnvironment

from activities.conversation import ConversationActivities
from activities.note_writing import NoteWriter
from activities.playbook_shelf import PlaybookShelf
from activities.spoken_lines import SpokenLines
from core.contracts.call import GatewayAddress, Reply, ReplyKey, Respond
from core.ports.reasoner import Reasoner
from core.ports.speech import Voice
from sandbox.app import SandboxConfig, create_app
from sandbox.state import Fault, Latency, SandboxState
from storage.speech_cache import KeptSpeech
from tests.sandbox.server import running
from tests.vendors.deadlines import LONG, PATIENT
from tests.world.fakes import FakeFeed, FakePlayback, FakePlaybackLine, FakePlaybooks, FakeRecogniser, FakeVoice
from tests.world.playbook import orders
from vendors.anthropic_reasoner import AnthropicReasoner
from vendors.deepgram_tts import DeepgramVoice
from vendors.elevenlabs_tts import ElevenLabsHttpVoice, ElevenLabsVoice
from vendors.fallback_reasoner import FallbackReasoner
from vendors.fallback_voice import FallbackVoice
from vendors.hedging import Member
from vendors.openai_reasoner import OpenAIReasoner

ASKED = "My phone number is 5550100."
ANSWER = ["Thank you, I heard 5550100.", "I have made a note of that.", "Is there anything else I can help you with?"]
FIRST, SECOND = "claude-haiku-5-5", "claude-haiku-4-5"
SILENT = ("stall", "stall_after", "mute")  # faults that only a stand-in ends
VOICE_DEADLINES = {"connect_timeout": LONG, "first_byte_timeout": LONG, "gap_timeout": LONG}


class Answering:
    """The activity on all vendors and their stand-ins."""

    def __init__(self, origin: str, faults: Sequence[Fault]) -> None:
        silent = {fault.vendor for fault in faults if fault.kind in SILENT}
        thought, spoken = (1.0 if vendor in silent else LONG for vendor in ("anthropic", "elevenlabs"))
        self.models = [
            AnthropicReasoner("key", origin, reply_model=model, deadlines=PATIENT) for model in (FIRST, SECOND)
        ]
        self.openai = OpenAIReasoner("key", "sandbox-model", f"{origin}/openai/v1", deadlines=PATIENT)
        self.socket = ElevenLabsVoice("key", origin, **VOICE_DEADLINES)
        self.http = ElevenLabsHttpVoice("key", origin, **VOICE_DEADLINES)
        self.aura = DeepgramVoice("key", ["aura-2-thalia-en"], origin, **VOICE_DEADLINES)
        reasoners: list[Reasoner] = [*self.models, self.openai]
        voices: list[Voice] = [self.socket, self.http, self.aura]
        self.line = FakePlaybackLine()
        self.playbacks: list[FakePlayback] = []
        self.line.listeners["C1"] = lambda what, playback: self.playbacks.append(playback)
        reasoner = FallbackReasoner(
            [Member(str(place), port) for place, port in enumerate(reasoners)], hedge_after=thought, within=LONG
        )
        shelf, feed = PlaybookShelf(FakePlaybooks(orders())), FakeFeed()
        self.activities = ConversationActivities(
            reasoner,
            FallbackVoice(
                [Member(str(place), port) for place, port in enumerate(voices)], hedge_after=spoken, gap=spoken
            ),
            FakeRecogniser(),
            SpokenLines(FakeVoice(), KeptSpeech("fake", 1_000_000)),
            self.line,
            shelf,
            feed,
            NoteWriter(reasoner, shelf, feed),
        )

    async def answer(self) -> Reply:
        key = ReplyKey(1, 1, 0, 1)
        gateway = GatewayAddress(1, "ws://gateway", "http://gateway")
        request = Respond("C1", orders().ref, gateway, key, "returns", ASKED, "+12025550123")
        async with asyncio.timeout(20):
            return await ActivityEnvironment().run(self.activities.respond, request)

    async def close(self) -> None:
        for model in self.models:
            await model.close()
        await self.openai.close()
        for voice in (self.socket, self.http, self.aura):
            await voice.aclose()


@asynccontextmanager
async def answering(*faults: Fault) -> AsyncIterator[Answering]:
    fast = Latency(model_first_token_ms=0, model_token_ms=0, voice_first_byte_ms=0, voice_speed=1_000)
    state = SandboxState(fast)
    state.faults += faults
    async with running(create_app(state, SandboxConfig())) as origin:
        made = Answering(origin, faults)
        yield made
        await made.close()


def _words(value: object) -> str:
    faults = value if isinstance(value, tuple) else ()
    return " ".join(f"{fault.vendor}-{fault.kind}-{fault.times}-{fault.after}" for fault in faults)


@pytest.mark.parametrize(
    ("faults", "model", "voice"),
    [
        ((), FIRST, ""),
        ((Fault("anthropic", "status", status=529, times=4),), "sandbox-model", ""),
        ((Fault("anthropic", "status", status=401, times=9),), "sandbox-model", ""),
        ((Fault("anthropic", "stall"),), SECOND, ""),
        ((Fault("anthropic", "mute"),), SECOND, ""),
        ((Fault("anthropic", "drop"),), SECOND, ""),
        ((Fault("anthropic", "stall_after", after=4),), SECOND, ""),
        ((Fault("anthropic", "stall", times=2),), "sandbox-model", ""),
        ((Fault("elevenlabs", "status", status=503),), FIRST, ""),
        ((Fault("elevenlabs", "drop"),), FIRST, ""),
        ((Fault("elevenlabs", "drop", match=ANSWER[1], after=4),), FIRST, ""),
        ((Fault("elevenlabs", "stall_after", match=ANSWER[1], after=4),), FIRST, ""),
        ((Fault("elevenlabs", "mute", match=ANSWER[1]),), FIRST, ""),
        ((Fault("elevenlabs", "stall"),), FIRST, ""),
        ((Fault("elevenlabs", "status", status=503, times=9),), FIRST, "deepgram aura-2-thalia-en"),
        ((Fault("anthropic", "stall"), Fault("elevenlabs", "mute")), SECOND, ""),
    ],
    ids=_words,
)
async def test_every_answer_is_whole_and_says_who_made_it(faults: tuple[Fault, ...], model: str, voice: str) -> None:
    async with answering(*faults) as world:
        reply = await world.answer()
    assert (reply.text, reply.closed) == (" ".join(ANSWER), False)
    assert world.playbacks[-1].sentences == ANSWER
    assert (reply.usage.model, reply.usage.voice) == (model, voice)
