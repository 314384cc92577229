"""Puts the parts together, one function a role: the only place where vendors are chosen.

Imports are local, so that a role loads only what it uses: the vendors' SDKs take seconds.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from cli import vendor_choice
from cli.settings import BadSettings, Settings, reveal, variable_of
from cli.tool_kinds import tool_kinds

if TYPE_CHECKING:
    from activities.knowledge_shelf import KnowledgeShelf
    from activities.roster import Ports
    from api.deps import ApiDeps, ApiSettings
    from core.ports.call_log import CallFeed
    from core.ports.speech_cache import SpeechCache
    from core.recently_embedded import RecentlyEmbedded
    from media_gateway.deps import GatewayDeps
    from storage.database import Database
    from vendors.twilio_telephony import TwilioTelephony


CALL_START_SECONDS = 5.0  # nobody waits on the line for it


@asynccontextmanager
async def api_deps(settings: Settings) -> AsyncIterator["ApiDeps"]:
    """What the API is built from. Raises BadSettings for what it cannot do without."""
    from api.deps import ApiDeps
    from api.gateway_room import GatewayRoom
    from api.temporal import Temporal
    from cli.temporal_client import connect, history_keys
    from media_gateway.clock import LaterClock
    from storage.after_calls import SqlAfterCalls
    from storage.calls import SqlCallReader
    from storage.campaigns import SqlCampaigns
    from storage.contact_lists import SqlContactLists
    from storage.documents import SqlDocuments
    from storage.playbooks import SqlPlaybooks
    from storage.step_examples import SqlStepExamples
    from storage.transfers import SqlCallbacks
    from storage.webhooks import SqlWebhooks
    from vendors.documents import read_document
    from vendors.webhook_sender import GuardedSender
    from workflows.packing import history_codec

    settings.require("api_key", "twilio_auth_token")
    async with _database(settings) as database, AsyncExitStack() as stack:
        reader = SqlCallReader(database)
        stack.push_async_callback(reader.close)
        sender = GuardedSender(private=settings.webhook_private_addresses)
        stack.push_async_callback(sender.close)
        room = GatewayRoom(settings.media_origin)
        stack.push_async_callback(room.close)
        await room.start()
        playbooks = SqlPlaybooks(database, default=settings.default_playbook)
        yield ApiDeps(
            room=room,
            clock=LaterClock(),
            after_calls=SqlAfterCalls(database),
            webhooks=SqlWebhooks(database),
            campaigns=SqlCampaigns(database),
            contact_lists=SqlContactLists(database),
            webhook_sender=sender,
            documents=SqlDocuments(database),
            read_document=read_document,
            temporal=Temporal(partial(connect, settings)),
            history=history_codec(history_keys(settings)),
            reader=reader,
            playbooks=playbooks,
            versions=playbooks,
            callbacks=SqlCallbacks(database),
            step_examples=SqlStepExamples(database),
            settings=_api_settings(settings),
        )


def _api_settings(settings: Settings) -> "ApiSettings":
    from api.deps import ApiSettings

    return ApiSettings(
        public_url=settings.public_url,
        media_url=settings.media_origin,
        twilio_auth_token=reveal(settings.twilio_auth_token),
        stream_secret=settings.stream_key,
        api_key=reveal(settings.api_key),
        internal_secret=settings.internal_key,
        our_number=settings.our_number,
        overflow_number=settings.overflow_number,
        temporal_ui_url=settings.temporal_ui_url,
        calls_per_second=settings.calls_per_second,
        discreet=settings.discreet,
        temporal_namespace=settings.temporal_namespace,
        version=version("holdfast"),
    )


@asynccontextmanager
async def gateway_deps(settings: Settings, internal_port: int) -> AsyncIterator["GatewayDeps"]:
    """What a gateway is built from. Raises BadSettings for what it cannot do without."""
    from cli.temporal_client import connect
    from media_gateway.deps import GatewayDeps, GatewaySettings

    settings.require("twilio_auth_token", "deepgram_api_key")
    async with _database(settings) as database, _feed(database) as feed, AsyncExitStack() as stack:
        yield GatewayDeps(
            settings=GatewaySettings(
                media_url=settings.media_origin,
                internal_url=f"http://{settings.gateway_advertise}:{internal_port}",
                twilio_auth_token=reveal(settings.twilio_auth_token),
                stream_secret=settings.stream_key,
                internal_secret=settings.internal_key,
                dead_air=settings.dead_air_seconds,
                take_over_grace=settings.take_over_grace_seconds,
                drain=settings.drain_seconds,
                rest=min(GatewaySettings.rest, settings.drain_seconds),  # who is in a hurry is so to the end
                capacity=settings.gateway_capacity,
            ),
            temporal=await connect(settings, lazy=True),
            recogniser=vendor_choice.recogniser(settings, stack),
            feed=feed,
        )


@asynccontextmanager
async def worker_ports(settings: Settings) -> AsyncIterator["Ports"]:
    """What a worker's activities stand on. Raises BadSettings for what it cannot do without."""
    from activities.campaign import CallingDefaults
    from activities.roster import Ports
    from api.temporal import Temporal
    from cli.call_starter import TemporalCallStarter, TemporalResultsTeller
    from cli.step_fits import KeptStepFits
    from cli.temporal_client import connect
    from media_gateway.playback_client import PlaybackClient
    from storage.after_calls import SqlAfterCalls
    from storage.calls import SqlCallStore
    from storage.campaign_results import SqlCampaignResults
    from storage.campaign_rounds import SqlCampaignBook
    from storage.campaigns import SqlDialGate
    from storage.playbooks import SqlPlaybooks
    from storage.step_examples import SqlStepExamples
    from storage.webhooks import SqlWebhooks
    from vendors.tool_secrets import ToolSecrets
    from vendors.webhook_sender import GuardedSender

    keys = ("twilio_account_sid", "twilio_auth_token", "deepgram_api_key", "anthropic_api_key", "elevenlabs_api_key")
    settings.require(*keys, *(("crm_base_url",) if settings.crm == "http" else ()))
    secrets = ToolSecrets.of(os.environ)
    async with _database(settings) as database, _feed(database) as feed, AsyncExitStack() as stack:
        voices = vendor_choice.voices(settings, stack)
        embedder = await asyncio.to_thread(_embedder, settings)
        telephony = _telephony(settings)
        playback = PlaybackClient(settings.internal_key)
        sender = GuardedSender(private=settings.webhook_private_addresses)
        messenger = vendor_choice.messenger(settings)
        temporal = Temporal(partial(connect, settings), deadline=CALL_START_SECONDS)
        for close in (telephony.aclose, playback.close, sender.close, messenger.aclose):
            stack.push_async_callback(close)
        yield Ports(
            reasoner=vendor_choice.reasoner(settings, stack),
            voice=voices.replies,
            line_voice=voices.lines,
            speech_cache=_speech_cache(settings),
            recogniser=vendor_choice.recogniser(settings, stack),
            playback=playback,
            lost_calls=playback.watch,
            playbooks=SqlPlaybooks(database, default=settings.default_playbook),
            telephony=telephony,
            crm=vendor_choice.crm(settings, secrets, stack),
            store=SqlCallStore(database),
            feed=feed,
            tools=tool_kinds(settings, secrets, stack),
            step_fits=KeptStepFits(embedder, settings.steps_folder),
            step_examples=SqlStepExamples(database),
            knowledge=_knowledge(settings, database, embedder),
            after_calls=SqlAfterCalls(database),
            webhooks=SqlWebhooks(database),
            webhook_sender=sender,
            messenger=messenger,
            dial_gate=SqlDialGate(database),
            campaigns=SqlCampaignBook(database, calls_per_second=settings.calls_per_second),
            call_starter=TemporalCallStarter(temporal),
            campaign_results=SqlCampaignResults(database),
            results_teller=TemporalResultsTeller(temporal),
            calling=CallingDefaults(discreet=settings.discreet),
        )


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator["Database"]:
    from storage.database import Database

    database = Database(settings.database)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def _feed(database: "Database") -> AsyncIterator["CallFeed"]:
    from storage.feed import SqlCallFeed

    feed = SqlCallFeed(database)
    feed.start()
    try:
        yield feed
    finally:
        await feed.close()


def _telephony(settings: Settings) -> "TwilioTelephony":
    from vendors.twilio_telephony import TwilioTelephony

    sid, token = settings.twilio_account_sid or "", reveal(settings.twilio_auth_token)
    return TwilioTelephony(sid, token, settings.public_url, settings.twilio_base_url)


def _embedder(settings: Settings) -> "RecentlyEmbedded":
    from cli.embedders import EmbedderName, embedder_of
    from core.recently_embedded import RecentlyEmbedded
    from vendors.minilm_embedder import MiniLmMissing

    try:
        return RecentlyEmbedded(embedder_of(EmbedderName(settings.embedder)))
    except MiniLmMissing as error:
        raise BadSettings([f"{variable_of('embedder')}: {error}"]) from None


def _knowledge(settings: Settings, database: "Database", embedder: "RecentlyEmbedded") -> "KnowledgeShelf":
    from activities.knowledge_shelf import KnowledgeShelf
    from cli.knowledge_vectors import KeptPassageVectors
    from storage.documents import SqlDocuments

    vectors = KeptPassageVectors(embedder.name, settings.knowledge_folder)
    return KnowledgeShelf(SqlDocuments(database), vectors, embedder)


def _speech_cache(settings: Settings) -> "SpeechCache":
    from storage.speech_cache import KeptSpeech
    from storage.speech_files import SpeechFiles

    origin = f"elevenlabs {settings.elevenlabs_base_url or ''}"
    disk = settings.speech_cache_disk_mb * 1_000_000
    files = SpeechFiles(settings.speech_folder, disk, settings.speech_cache_days) if disk else None
    return KeptSpeech(origin, settings.speech_cache_memory_mb * 1_000_000, files)
