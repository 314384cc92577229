"""Puts the parts together, one function a role: the only place where vendors are chosen."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.roster import Ports
from api.deps import ApiDeps, ApiSettings
from api.temporal import Temporal
from cli.settings import Settings, reveal
from core.ports.call_log import CallFeed
from media_gateway.deps import GatewayDeps, GatewaySettings
from media_gateway.playback_client import PlaybackClient
from storage.calls import SqlCallReader, SqlCallStore
from storage.database import Database
from storage.feed import SqlCallFeed
from storage.playbooks import SqlPlaybooks

if TYPE_CHECKING:  # each role loads only the SDKs it uses
    from vendors.elevenlabs_tts import ElevenLabsVoice
    from vendors.http_crm import HttpCrm

    from vendors.anthropic_reasoner import AnthropicReasoner
    from vendors.deepgram_stt import DeepgramRecogniser
    from vendors.twilio_telephony import TwilioTelephony


def version_of_product() -> str:
    """As the package says."""
    return version("holdfast")


async def temporal_client(settings: Settings) -> Client:
    """A client that connects when it is first used, so that a role starts while Temporal is away."""
    return await Client.connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        data_converter=pydantic_data_converter,
        lazy=True,
    )


@asynccontextmanager
async def api_deps(settings: Settings) -> AsyncIterator[ApiDeps]:
    """What the API is built from. Raises BadSettings for what it cannot do without."""
    settings.require("api_key", "twilio_auth_token")
    async with _database(settings) as database, AsyncExitStack() as stack:
        reader = SqlCallReader(database)
        stack.push_async_callback(reader.close)
        yield ApiDeps(
            temporal=Temporal.at(settings.temporal_address, settings.temporal_namespace),
            reader=reader,
            playbooks=_playbooks(settings, database),
            settings=ApiSettings(
                public_url=settings.public_url,
                media_url=settings.media_origin,
                twilio_auth_token=reveal(settings.twilio_auth_token),
                stream_secret=settings.stream_key,
                api_key=reveal(settings.api_key),
                our_number=settings.our_number,
                overflow_number=settings.overflow_number,
                temporal_ui_url=settings.temporal_ui_url,
                temporal_namespace=settings.temporal_namespace,
                version=version_of_product(),
            ),
        )


@asynccontextmanager
async def gateway_deps(settings: Settings, internal_port: int) -> AsyncIterator[GatewayDeps]:
    """What a gateway is built from. Raises BadSettings for what it cannot do without."""
    settings.require("twilio_auth_token", "deepgram_api_key")
    async with _database(settings) as database, _feed(database) as feed, AsyncExitStack() as stack:
        recogniser = _recogniser(settings)
        stack.push_async_callback(recogniser.aclose)
        yield GatewayDeps(
            settings=GatewaySettings(
                media_url=settings.media_origin,
                internal_url=f"http://{settings.gateway_advertise}:{internal_port}",
                twilio_auth_token=reveal(settings.twilio_auth_token),
                stream_secret=settings.stream_key,
                internal_secret=settings.internal_key,
                drain=settings.drain_seconds,
            ),
            temporal=await temporal_client(settings),
            recogniser=recogniser,
            feed=feed,
        )


@asynccontextmanager
async def worker_ports(settings: Settings) -> AsyncIterator[Ports]:
    """What a worker's activities stand on. Raises BadSettings for what it cannot do without."""
    settings.require(
        "twilio_account_sid",
        "twilio_auth_token",
        "deepgram_api_key",
        "anthropic_api_key",
        "elevenlabs_api_key",
        "crm_base_url",
    )
    async with _database(settings) as database, _feed(database) as feed, AsyncExitStack() as stack:
        recogniser, voice, reasoner = _recogniser(settings), _voice(settings), _reasoner(settings)
        telephony, crm = _telephony(settings), _crm(settings)
        playback = PlaybackClient(settings.internal_key)
        for close in (playback.close, reasoner.close, recogniser.aclose, telephony.aclose, crm.close):
            stack.push_async_callback(close)
        yield Ports(
            reasoner=reasoner,
            voice=voice,
            recogniser=recogniser,
            playback=playback,
            playbooks=_playbooks(settings, database),
            telephony=telephony,
            crm=crm,
            store=SqlCallStore(database),
            feed=feed,
        )


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.database)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def _feed(database: Database) -> AsyncIterator[CallFeed]:
    feed = SqlCallFeed(database)
    feed.start()
    try:
        yield feed
    finally:
        await feed.close()


def _playbooks(settings: Settings, database: Database) -> SqlPlaybooks:
    return SqlPlaybooks(database, default=settings.default_playbook)


def _recogniser(settings: Settings) -> "DeepgramRecogniser":
    from vendors.deepgram_stt import DeepgramRecogniser

    return DeepgramRecogniser(reveal(settings.deepgram_api_key), settings.deepgram_base_url)


def _voice(settings: Settings) -> "ElevenLabsVoice":
    from vendors.elevenlabs_tts import ElevenLabsVoice

    return ElevenLabsVoice(reveal(settings.elevenlabs_api_key), settings.elevenlabs_base_url)


def _reasoner(settings: Settings) -> "AnthropicReasoner":
    from vendors.anthropic_reasoner import AnthropicReasoner

    return AnthropicReasoner(
        reveal(settings.anthropic_api_key),
        settings.anthropic_base_url,
        reply_model=settings.reply_model,
        step_model=settings.step_model,
        summary_model=settings.summary_model,
    )


def _telephony(settings: Settings) -> "TwilioTelephony":
    from vendors.twilio_telephony import TwilioTelephony

    return TwilioTelephony(
        settings.twilio_account_sid or "",
        reveal(settings.twilio_auth_token),
        settings.public_url,
        settings.twilio_base_url,
    )


def _crm(settings: Settings) -> "HttpCrm":
    from vendors.http_crm import HttpCrm

    return HttpCrm(settings.crm_base_url or "", reveal(settings.crm_api_key))
