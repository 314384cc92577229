"""Which vendors stand behind the model, the voice and the recogniser, and who takes over from whom."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.connectors import CONNECTORS, NOTE_TAKERS
from cli.settings import BadSettings, Settings, reveal, variable_of

if TYPE_CHECKING:
    from core.ports.crm import Crm
    from core.ports.reasoner import Reasoner
    from core.ports.speech import Recogniser, Voice
    from vendors.messenger import Messenger
    from vendors.tool_secrets import ToolSecrets


@dataclass(frozen=True)
class Voices:
    """``replies`` are written while they are spoken, ``lines`` are all there: one request a sentence will do."""

    replies: "Voice"
    lines: "Voice"


def reasoner(settings: Settings, stack: AsyncExitStack) -> "Reasoner":
    """Claude, then a second Claude, then whatever speaks OpenAI's protocol."""
    from vendors.anthropic_reasoner import AnthropicReasoner
    from vendors.fallback_reasoner import FallbackReasoner
    from vendors.hedging import Member
    from vendors.openai_reasoner import OpenAIReasoner

    key, origin = reveal(settings.anthropic_api_key), settings.anthropic_base_url
    claude = AnthropicReasoner(
        key,
        origin,
        reply_model=settings.reply_model,
        step_model=settings.step_model,
        summary_model=settings.summary_model,
    )
    stack.push_async_callback(claude.close)
    members: list[Member[Reasoner]] = [Member("anthropic", claude)]
    if (second := settings.fallback_model) is not None:
        other = AnthropicReasoner(key, origin, reply_model=second, step_model=second, summary_model=second)
        stack.push_async_callback(other.close)
        members.append(Member(f"anthropic {second}", other))
    if settings.openai_model is not None:
        settings.require("openai_api_key")
        third = OpenAIReasoner(reveal(settings.openai_api_key), settings.openai_model, settings.openai_base_url)
        stack.push_async_callback(third.close)
        members.append(Member(f"openai {settings.openai_model}", third))
    return FallbackReasoner(members, hedge_after=settings.model_hedge_seconds)


def voices(settings: Settings, stack: AsyncExitStack) -> Voices:
    """ElevenLabs by its socket and by HTTP, each behind the other, then Deepgram's Aura."""
    from vendors.deepgram_tts import DeepgramVoice
    from vendors.elevenlabs_tts import ElevenLabsHttpVoice, ElevenLabsVoice
    from vendors.fallback_voice import FallbackVoice
    from vendors.hedging import Member

    key, origin = reveal(settings.elevenlabs_api_key), settings.elevenlabs_base_url
    by_socket, by_http = ElevenLabsVoice(key, origin), ElevenLabsHttpVoice(key, origin)
    stack.push_async_callback(by_socket.aclose)
    stack.push_async_callback(by_http.aclose)
    socket: Member[Voice] = Member("elevenlabs", by_socket)
    http: Member[Voice] = Member("elevenlabs by HTTP", by_http)
    behind: list[Member[Voice]] = []
    if settings.second_voices:
        aura = DeepgramVoice(reveal(settings.deepgram_api_key), settings.second_voices, settings.deepgram_base_url)
        stack.push_async_callback(aura.aclose)
        behind.append(Member("deepgram", aura))
    hedge_after = settings.voice_hedge_seconds
    return Voices(
        replies=FallbackVoice([socket, http, *behind], hedge_after=hedge_after),
        lines=FallbackVoice([http, socket, *behind], hedge_after=hedge_after),
    )


def recogniser(settings: Settings, stack: AsyncExitStack) -> "Recogniser":
    """Deepgram's Flux and nova-3, each behind the other, then Gladia; kept audio by nova-3."""
    from vendors.deepgram_stt import FLUX_LANGUAGES, NOVA_LANGUAGES, DeepgramRecogniser
    from vendors.fallback_recogniser import Ear, FallbackRecogniser
    from vendors.gladia_stt import LANGUAGES, GladiaRecogniser
    from vendors.hedging import Member

    deepgram = DeepgramRecogniser(reveal(settings.deepgram_api_key), settings.deepgram_base_url)
    stack.push_async_callback(deepgram.aclose)
    ears = [
        Ear("flux", FLUX_LANGUAGES, Member("deepgram flux", deepgram)),
        Ear("nova-3", NOVA_LANGUAGES, Member("deepgram nova-3", deepgram)),
    ]
    if settings.gladia_api_key is not None:
        gladia = GladiaRecogniser(reveal(settings.gladia_api_key), settings.gladia_base_url)
        stack.push_async_callback(gladia.aclose)
        ears.append(Ear("gladia", LANGUAGES, Member("gladia", gladia)))
    return FallbackRecogniser(ears, [Member("deepgram prerecorded", deepgram)])


def crm(settings: Settings, secrets: "ToolSecrets", stack: AsyncExitStack) -> "Crm":
    """Operations over HTTP, and the note where HOLDFAST_CRM says. Raises BadSettings for what it cannot do without."""
    from vendors.crm_notes import NotesElsewhere
    from vendors.http_crm import HttpCrm

    operations: HttpCrm | None = None
    if settings.crm_base_url or settings.crm == "http":
        settings.require("crm_base_url")
        operations = HttpCrm(settings.crm_base_url or "", reveal(settings.crm_api_key))
        stack.push_async_callback(operations.close)
    if operations is not None and settings.crm == "http":
        return operations
    lacks = CONNECTORS[settings.crm].lacks(secrets)
    if lacks:
        raise BadSettings([f"{name} is not set, and {variable_of('crm')} is {settings.crm}" for name in lacks])
    import httpx

    http = httpx.AsyncClient()
    stack.push_async_callback(http.aclose)
    return NotesElsewhere(operations, NOTE_TAKERS[settings.crm](http, secrets))


def messenger(settings: Settings) -> "Messenger":
    """Twilio for text messages; an SMTP server for e-mail, where one is set."""
    from vendors.messenger import MailServer, Messenger

    mail = None
    if settings.smtp_host is not None:
        mail = MailServer(
            host=settings.smtp_host,
            port=settings.smtp_port,
            user=settings.smtp_user or "",
            password=reveal(settings.smtp_password),
            sender=settings.smtp_from or "",
            security=settings.smtp_security,
        )
    sid, token = settings.twilio_account_sid or "", reveal(settings.twilio_auth_token)
    return Messenger(sid, token, mail, settings.twilio_base_url)
