"""holdfast doctor: what is configured, reachable and missing."""

import asyncio
import os
import re
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

import httpx
from rich.table import Table
from sqlalchemy import make_url
from temporalio.service import RPCError

from cli.background_work import write_whole
from cli.connectors import CONNECTORS, Checkable, Connector
from cli.deployment import trouble
from cli.playbook_check import read_playbook
from cli.process import complaints
from cli.progress import out, progress
from cli.rest import why
from cli.settings import Settings, reveal, variable_of
from cli.temporal_client import connect, history_keys, missing_search_attributes
from cli.tool_check import environment_secrets, mcp_faults, tool_faults
from cli.vendor_keys import FALLBACK_KEY_CHECKS, KEY_CHECKS, check_key
from core.playbook import Playbook, PlaybookFaults
from core.ports.errors import StorageUnavailable, VendorError
from storage.database import Database
from storage.migrate import is_up_to_date
from vendors.tool_secrets import PREFIX, ToolSecrets

DEADLINE_S = 8.0
PROBE_BYTES = 1_000_000  # more than what is left over in a file's last block
_LOCAL_HOSTS = {"localhost", "127.0.0.1", "0.0.0.0", "::1"}


class State(StrEnum):
    """How a check went."""

    OK = "ok"
    WARNING = "warning"  # calls can be made, but not as they should be
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    what: str
    state: State
    words: str


Check = Callable[[Settings], Awaitable[list[Finding]]]


def run() -> None:
    """Print a table; exits with 1 if a check failed."""
    with complaints():
        settings = Settings.read()
        findings = asyncio.run(examine(settings))
    out.print(_table(findings))
    failed = [finding for finding in findings if finding.state is State.FAILED]
    if failed:
        out.print(f"[red]{len(failed)} of {len(findings)} checks failed.[/red]")
        sys.exit(1)
    out.print("[green]Ready for calls.[/green]")


async def examine(settings: Settings) -> list[Finding]:
    """Run all checks side by side, each within its deadline."""
    checks: tuple[Check, ...] = (
        *(
            _vendors,
            _fallbacks,
            _crm,
            _connectors,
            _temporal,
            _versions,
            _history,
            _database,
            _disk,
            _public_url,
            _access,
            _playbooks,
        ),
    )
    async with progress("Looking"):
        found = await asyncio.gather(*(_in_time(check, settings) for check in checks))
    return [finding for findings in found for finding in findings]


async def _in_time(check: Check, settings: Settings) -> list[Finding]:
    try:
        async with asyncio.timeout(DEADLINE_S):
            return await check(settings)
    except TimeoutError:
        name = check.__name__.strip("_").replace("_", " ")
        return [Finding(name, State.FAILED, f"no answer within {DEADLINE_S:.0f} s")]


async def _vendors(settings: Settings) -> list[Finding]:
    async with httpx.AsyncClient(timeout=DEADLINE_S / 2) as http:
        problems = await asyncio.gather(*(check_key(http, check, settings) for check in KEY_CHECKS))
    return [
        Finding(check.vendor, State.FAILED, problem) if problem else Finding(check.vendor, State.OK, "takes our key")
        for check, problem in zip(KEY_CHECKS, problems, strict=True)
    ]


async def _fallbacks(settings: Settings) -> list[Finding]:
    """Who stands in for whom; a call can do without, so a key that is not taken is no failure."""
    wanted = {"openai": settings.openai_model is not None, "gladia": settings.gladia_api_key is not None}
    checks = [check for check in FALLBACK_KEY_CHECKS if wanted[check.vendor]]
    async with httpx.AsyncClient(timeout=DEADLINE_S / 2) as http:
        problems = await asyncio.gather(*(check_key(http, check, settings) for check in checks))
    models = [model for model in (settings.fallback_model, settings.openai_model) if model]
    voices = ["elevenlabs by HTTP", *(settings.second_voices or ()), "the carrier's <Say>"]
    ears = ["deepgram nova-3", *(["gladia"] if wanted["gladia"] else []), "deepgram on kept audio"]
    chains = (("model", models), ("voice", voices), ("recogniser", ears))
    words = "; ".join(f"{kind}: {', '.join(names) or 'nobody'}" for kind, names in chains)
    findings = [Finding("stand-ins", State.OK if models else State.WARNING, words)]
    for check, problem in zip(checks, problems, strict=True):
        found = (State.WARNING, problem) if problem else (State.OK, "takes our key")
        findings.append(Finding(check.vendor, *found))
    return findings


async def _crm(settings: Settings) -> list[Finding]:
    variable, url = variable_of("crm_base_url"), settings.crm_base_url
    if url is None and settings.crm != "http":
        return []  # the connector is looked at apart
    if url is None:
        words = f"{variable} is not set: no worker starts without it (holdfast dev uses the sandbox's)"
        return [Finding("CRM", State.FAILED, words)]
    headers = {"Authorization": f"Bearer {reveal(settings.crm_api_key)}"}
    try:
        async with httpx.AsyncClient(timeout=DEADLINE_S / 2) as http:
            answer = await http.get(url, headers=headers)  # that somebody is there; no route of it is known to be free
    except httpx.HTTPError as error:
        words = f"{variable}: {url} cannot be reached ({why(error)})"
        return [Finding("CRM", State.FAILED, words)]
    if answer.status_code in (401, 403):
        words = f"{variable_of('crm_api_key')}: {url} answered {answer.status_code}: it may be wrong"
        return [Finding("CRM", State.WARNING, words)]
    return [Finding("CRM", State.OK, url)]


async def _connectors(settings: Settings) -> list[Finding]:
    """Those that are set up, and the one that keeps the notes: a call can do without all others."""
    secrets = ToolSecrets.of(os.environ)
    chosen = [one for one in CONNECTORS.values() if one.chosen(secrets) or one.name == settings.crm]
    async with httpx.AsyncClient(timeout=DEADLINE_S / 3) as http:  # there is time for a second try
        return list(await asyncio.gather(*(_connector(one, http, secrets, settings) for one in chosen)))


async def _connector(one: Connector, http: httpx.AsyncClient, secrets: ToolSecrets, settings: Settings) -> Finding:
    trouble = State.FAILED if one.name == settings.crm else State.WARNING
    if lacks := one.lacks(secrets):
        return Finding(one.name, trouble, f"{' and '.join(lacks)} not set")
    try:
        lacks = await _missing(one.build(http, secrets))
    except VendorError as error:
        return Finding(one.name, trouble, f"{PREFIX}{one.key} or {PREFIX}{one.base_url}: {error}")
    keeps = f", keeps the notes ({variable_of('crm')})" if one.name == settings.crm else ""
    words = "; ".join(lacks) if lacks else f"takes our key{keeps}"
    return Finding(one.name, trouble if lacks else State.OK, words)


async def _missing(connector: Checkable) -> list[str]:
    """What the account lacks. A failure that may be a moment's has to show twice before anybody is told to look."""
    try:
        return await connector.missing()
    except VendorError as error:
        if not error.curable:
            raise
    return await connector.missing()


async def _temporal(settings: Settings) -> list[Finding]:
    variable = variable_of("temporal_address")
    try:
        client = await connect(settings)
        missing = await missing_search_attributes(client)
    except (RuntimeError, RPCError) as error:
        words = f"{variable}: cannot use {settings.temporal_address}: {_in_short(error)}"
        return [Finding("Temporal", State.FAILED, words)]
    if missing:
        words = f"not registered: {', '.join(missing)}. No call can start: run holdfast migrate"
        return [Finding("search attributes", State.FAILED, words)]
    where = f"{settings.temporal_address}, namespace {settings.temporal_namespace}"
    return [Finding("Temporal", State.OK, f"{where}, search attributes are registered")]


async def _versions(settings: Settings) -> list[Finding]:
    """Whether workers as they are set up here would get calls."""
    try:
        found = await trouble(await connect(settings), versioned=settings.versioned_workers)
    except (RuntimeError, RPCError):
        return []  # Temporal is looked at apart
    if found is not None:
        return [Finding("versions", State.FAILED, f"{variable_of('versioned_workers')}: {found}")]
    return [Finding("versions", State.OK, "the current one has workers")] if settings.versioned_workers else []


async def _history(settings: Settings) -> list[Finding]:
    if keys := history_keys(settings):
        others = f", and {len(keys) - 1} more can open it" if len(keys) > 1 else ""
        return [Finding("history", State.OK, f"sealed with the key {keys[0].id}{others}")]
    if not settings.discreet:
        return []  # callers are invented
    words = f"not sealed: whoever sees the Temporal server reads what callers tell (set {variable_of('history_keys')})"
    return [Finding("history", State.WARNING, words)]


def _in_short(error: Exception) -> str:
    """The SDK quotes the whole chain of its transport's errors; the last message says what it was."""
    messages = re.findall(r'message: "([^"]+)"', str(error))
    return messages[-1] if messages else str(error)


async def _database(settings: Settings) -> list[Finding]:
    shown = make_url(settings.database).render_as_string(hide_password=True)
    database = Database(settings.database, pool_size=1)
    try:
        newest = await is_up_to_date(database)
    except StorageUnavailable as error:
        words = f"{variable_of('database_url')}: cannot reach {shown}: {error.__cause__ or error}"
        return [Finding("database", State.FAILED, words)]
    finally:
        await database.close()
    if not newest:
        return [Finding("database", State.FAILED, f"{shown}: its schema is not the newest: run holdfast migrate")]
    return [Finding("database", State.OK, shown)]


async def _disk(settings: Settings) -> list[Finding]:
    """Whether what workers keep can be kept; they work without it, and make it anew whenever they start."""
    folder = settings.data
    if not folder.exists():
        return []
    probe = folder / f"doctor-{os.getpid()}"
    try:
        await asyncio.to_thread(write_whole, probe, lambda stream: stream.write(bytes(PROBE_BYTES)))
        probe.unlink()
    except OSError as error:
        words = f"{variable_of('data')}: {folder} takes nothing: {error.strerror or error}"
        return [Finding("disk", State.WARNING, words)]
    return [Finding("disk", State.OK, f"{folder} can be written")]


async def _public_url(settings: Settings) -> list[Finding]:
    variable, url = variable_of("public_url"), settings.public_url
    parts = urlsplit(url)
    real_carrier = settings.twilio_base_url is None
    if real_carrier and (parts.scheme != "https" or parts.hostname in _LOCAL_HOSTS):
        words = f"{variable}: {url}: the carrier must reach it: https and a public name (a tunnel will do)"
        return [Finding("public URL", State.FAILED, words)]
    if real_carrier and not settings.media_origin.startswith("wss://"):
        words = f"{variable_of('media_url')}: {settings.media_origin}: the carrier only streams to wss://"
        return [Finding("public URL", State.FAILED, words)]
    try:
        async with httpx.AsyncClient(timeout=DEADLINE_S / 2) as http:
            answer = await http.get(f"{url}/healthz")
    except httpx.HTTPError as error:
        return [Finding("public URL", State.WARNING, f"{url}: nobody answers yet ({why(error)})")]
    if not answer.is_success:
        return [Finding("public URL", State.WARNING, f"{url}/healthz answered {answer.status_code}: is it ours?")]
    return [Finding("public URL", State.OK, url)]


async def _access(settings: Settings) -> list[Finding]:
    findings = []
    if not reveal(settings.api_key):
        words = f"{variable_of('api_key')} is not set: the API would let nobody in"
        findings.append(Finding("API key", State.FAILED, words))
    if settings.our_number is None:
        words = f"{variable_of('our_number')} is not set: outbound calls must name their caller id"
        findings.append(Finding("caller id", State.WARNING, words))
    if settings.overflow_number is None:
        words = f"{variable_of('overflow_number')} is not set: nobody takes calls while Temporal is away"
        findings.append(Finding("overflow", State.WARNING, words))
    return findings or [Finding("access", State.OK, "API key, caller id and overflow number are set")]


async def _playbooks(settings: Settings) -> list[Finding]:
    playbooks: list[Playbook] = []
    findings = []
    for file in sorted(settings.playbooks.glob("*.yaml")):
        try:
            playbooks.append(read_playbook(file))
        except PlaybookFaults as error:
            findings.append(Finding("playbook", State.FAILED, str(error)))
    names = [playbook.name for playbook in playbooks]
    default = settings.default_playbook
    if default is not None and default not in names:
        words = f"{variable_of('default_playbook')}: no playbook is named {default}; there are: {', '.join(names)}"
        findings.append(Finding("playbooks", State.FAILED, words))
    elif not names:
        words = f"{variable_of('playbooks')}: there is no playbook in {settings.playbooks}"
        findings.append(Finding("playbooks", State.FAILED, words))
    else:
        findings.append(Finding("playbooks", State.OK, ", ".join(names)))
    return findings + [finding for playbook in playbooks for finding in await _tools(playbook, settings)]


async def _tools(playbook: Playbook, settings: Settings) -> list[Finding]:
    """What a playbook's tools lack here; MCP servers are asked. The other tools of the call work all the same."""
    secrets = environment_secrets()
    faults = [
        *tool_faults(playbook, secrets, settings.tool_hosts),
        *await mcp_faults(playbook, secrets, settings.tool_hosts),
    ]
    what = f"tools of {playbook.name}"
    return [Finding(what, State.WARNING, f"{'.'.join(map(str, fault.at))}: {fault.message}") for fault in faults] or [
        Finding(what, State.OK, f"{len(playbook.tools)} can be used")
    ] * bool(playbook.tools)


def _table(findings: list[Finding]) -> Table:
    colours = {State.OK: "green", State.WARNING: "yellow", State.FAILED: "red"}
    table = Table("", "what", "found", box=None, pad_edge=False)
    for finding in findings:
        colour = colours[finding.state]
        table.add_row(f"[{colour}]{finding.state}[/{colour}]", finding.what, finding.words)
    return table
