"""The API on a real socket, with a real Temporal server, a worker and an SQLite file behind it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4
from xml.etree import ElementTree

import httpx
import uvicorn
from fastapi import FastAPI
from temporalio.client import Client, WorkflowHandle
from temporalio.converter import PayloadCodec
from twilio.request_validator import RequestValidator

from api.app import create_app
from api.deps import ApiDeps, ApiSettings
from api.gateway_room import GatewayRoom
from api.temporal import Temporal
from core.contracts.names import call_workflow_id
from core.playbook import Playbook, parse_playbook
from core.ports.errors import StorageUnavailable, UnknownPlaybook
from core.ports.playbooks import Playbooks
from storage.after_calls import SqlAfterCalls
from storage.calls import SqlCallReader
from storage.campaigns import SqlCampaigns
from storage.contact_lists import SqlContactLists
from storage.database import Database
from storage.documents import SqlDocuments
from storage.feed import SqlCallFeed
from storage.playbooks import SqlPlaybooks
from storage.step_examples import SqlStepExamples
from storage.transfers import SqlCallbacks
from storage.webhooks import SqlWebhooks
from tests.api.recording_call import TOLD_SO_MUCH
from vendors.documents import read_document
from vendors.webhook_sender import GuardedSender
from workflows.packing import history_codec

AUTH_TOKEN = "carrier's secret"
API_KEY = "the key"
INTERNAL_SECRET = "gateways' secret"
OUR_NUMBER = "+15550199"
CALLER = "+15550100"

RENEWAL = parse_playbook(
    f"""
name: renewal
goal: Renew the policy.
persona: Friendly.
numbers: ["{OUR_NUMBER}"]
greeting: Hello.
steps:
  - name: greet
    goal: Find out who calls.
"""
)


@dataclass
class Shelf(Playbooks):
    """Playbooks in memory; ``away`` as a database that cannot be reached, ``stuck`` as one that does not answer."""

    books: list[Playbook] = field(default_factory=lambda: [RENEWAL])
    away: bool = False
    stuck: bool = False

    async def load(self, ref: str) -> Playbook:
        return await self._first(lambda book: book.ref == ref, ref)

    async def latest(self, name: str) -> Playbook:
        return await self._first(lambda book: book.name == name, name)

    async def for_number(self, number: str) -> Playbook:
        return await self._first(lambda book: number in book.numbers, number)

    async def names(self) -> list[str]:
        await self._reach()
        return sorted(book.name for book in self.books)

    async def _first(self, fits: Any, wanted: str) -> Playbook:
        await self._reach()
        for book in self.books:
            if fits(book):
                return book
        raise UnknownPlaybook(wanted)

    async def _reach(self) -> None:
        if self.stuck:
            await asyncio.Event().wait()
        if self.away:
            raise StorageUnavailable("away")


def listening_socket() -> socket.socket:
    """A socket on a free port, whose number is known before the application is made."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock


@asynccontextmanager
async def serving(app: FastAPI, sock: socket.socket) -> AsyncIterator[None]:
    """Serve by uvicorn's parts: its ``serve`` would take over the test process's signals."""
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1))
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup(sockets=[sock])
    try:
        yield
    finally:
        await server.shutdown(sockets=[sock])


def settings_for(origin: str, **changed: Any) -> ApiSettings:
    """Settings of an API served at ``origin``."""
    usual: dict[str, Any] = {
        "public_url": origin,
        "media_url": "wss://media.example",
        "twilio_auth_token": AUTH_TOKEN,
        "stream_secret": "stream secret",
        "api_key": API_KEY,
        "internal_secret": INTERNAL_SECRET,
        "our_number": OUR_NUMBER,
        "version": "1.2.3",
    }
    return ApiSettings(**(usual | changed))


@dataclass
class ApiWorld:
    """One API and what stands behind it."""

    deps: ApiDeps
    app: FastAPI
    client: httpx.AsyncClient  # without the key
    temporal: Client
    shelf: Shelf
    reader: SqlCallReader
    feed: SqlCallFeed
    started: list[str] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return self.deps.settings.public_url

    async def v1(self, method: str, path: str, **request: Any) -> httpx.Response:
        """A request with the key."""
        headers = {"Authorization": f"Bearer {API_KEY}"} | request.pop("headers", {})
        return await self.client.request(method, path, headers=headers, **request)

    async def twilio(
        self, path: str, form: Mapping[str, str], query: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """A request that the carrier signed, as it stands in its documents."""
        url = f"{self.origin}/twilio/{path}" + (f"?{urlencode(query)}" if query else "")
        return await self.signed(url, form)

    async def signed(self, url: str, form: Mapping[str, str]) -> httpx.Response:
        """The same for a whole URL."""
        signature = RequestValidator(AUTH_TOKEN).compute_signature(url, dict(form))
        return await self.client.post(url, data=dict(form), headers={"X-Twilio-Signature": signature})

    def new_sid(self) -> str:
        """A call id of the carrier's that no other test uses."""
        sid = f"CA{uuid4().hex}"
        self.started.append(sid)
        return sid

    async def incoming(self, sid: str | None = None, to: str = OUR_NUMBER) -> tuple[str, httpx.Response]:
        """A caller calls."""
        sid = sid or self.new_sid()
        form = {"CallSid": sid, "From": CALLER, "To": to, "CallStatus": "ringing", "Direction": "inbound"}
        return sid, await self.twilio("voice", form)

    def workflow(self, call_id: str) -> WorkflowHandle[Any, Any]:
        return self.temporal.get_workflow_handle(call_workflow_id(call_id))

    async def told(self, call_id: str) -> list[str]:
        """All that the call was told until now, however long its worker takes: a query would be refused meanwhile."""
        told: list[str] = await self.workflow(call_id).execute_update(TOLD_SO_MUCH, 0)
        return told


@asynccontextmanager
async def api_world(
    temporal: Temporal,
    client: Client,
    database: Database,
    *,
    private_webhooks: bool = True,
    history: PayloadCodec | None = None,
    room: GatewayRoom | None = None,
    clock: Callable[[], float] | None = None,
    **changed: Any,
) -> AsyncIterator[ApiWorld]:
    """An API in this world; ``changed`` settings."""
    sock = listening_socket()
    origin = f"http://127.0.0.1:{sock.getsockname()[1]}"
    shelf, reader, feed = Shelf(), SqlCallReader(database), SqlCallFeed(database, linger_seconds=0.01)
    feed.start()
    sender = GuardedSender(private=private_webhooks)
    deps = ApiDeps(
        temporal,
        reader,
        shelf,
        SqlPlaybooks(database, fresh_seconds=0.0),
        SqlCallbacks(database),
        SqlStepExamples(database),
        settings_for(origin, **changed),
        SqlAfterCalls(database),
        SqlWebhooks(database),
        sender,
        SqlCampaigns(database),
        SqlContactLists(database),
        SqlDocuments(database),
        read_document,
        history or history_codec(()),
        room=room,
    )
    if clock is not None:
        deps = replace(deps, clock=clock)
    app = create_app(deps)
    async with serving(app, sock), httpx.AsyncClient(base_url=origin, timeout=20, trust_env=False) as http:
        world = ApiWorld(deps, app, http, client, shelf, reader, feed)
        yield world
        await reader.close()
    await sender.close()
    await feed.close()


def verbs(response: httpx.Response) -> list[str]:
    """The verbs of a TwiML answer, in order."""
    assert response.status_code == 200, response.text
    return [verb.tag for verb in ElementTree.fromstring(response.text)]


def verb(response: httpx.Response, path: str) -> ElementTree.Element:
    """One element of a TwiML answer."""
    found = ElementTree.fromstring(response.text).find(path)
    assert found is not None, response.text
    return found
