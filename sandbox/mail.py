"""A mail server that takes every mail and delivers none, and a customer's own server that takes webhooks.

SMTP as far as a client needs it to hand mail in: EHLO, MAIL, RCPT, DATA, RSET, NOOP, QUIT (RFC 5321).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from sandbox.state import SandboxState, pause

LONGEST_LINE: Final = 1 << 20
PATIENCE_S: Final = 30.0


def router(state: SandboxState) -> APIRouter:
    """What was mailed, and a customer's endpoint."""
    routes = APIRouter(prefix="/sandbox", tags=["control"])

    @routes.get("/emails")
    async def emails() -> list[dict[str, Any]]:
        """All mails that were handed in."""
        return state.emails

    @routes.post("/hooks/{name}")
    async def take_webhook(name: str, request: Request) -> Response:
        """A customer's endpoint: takes everything. Faults of the vendor "customer" strike here."""
        fault = state.take_fault("customer", name, ("status", "stall"))
        if fault is not None and fault.kind == "stall":
            await pause(fault.delay_ms)
        status = fault.status if fault is not None and fault.kind == "status" else 204
        body = (await request.body()).decode(errors="replace")
        state.hooks.append({"name": name, "status": status, "headers": dict(request.headers), "body": body})
        state.stamp("customer", "webhook", name=name, status=status, id=request.headers.get("webhook-id"))
        return Response(status_code=status)

    @routes.get("/hooks")
    async def hooks() -> list[dict[str, Any]]:
        """All webhooks that came, refused ones too."""
        return state.hooks

    return routes


@asynccontextmanager
async def mail_server(state: SandboxState, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
    """Serve SMTP for as long as the block runs; yields the port."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                await _Session(state, reader, writer).run()
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(talk, host, port, limit=LONGEST_LINE)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


class _Session:
    def __init__(self, state: SandboxState, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._state = state
        self._reader = reader
        self._writer = writer
        self._sender = ""
        self._recipients: list[str] = []

    async def run(self) -> None:
        await self._say("220 sandbox ESMTP")
        while True:
            line = (await self._reader.readuntil(b"\r\n")).decode(errors="replace").strip()
            verb = line[:4].upper()
            if verb == "QUIT":
                await self._say("221 Bye")
                return
            await self._say(await self._answer(verb, line))

    async def _answer(self, verb: str, line: str) -> str:
        match verb:
            case "EHLO" | "HELO":
                return "250 sandbox"
            case "MAIL":
                self._sender, self._recipients = _address(line), []
                return "250 OK"
            case "RCPT":
                fault = self._state.take_fault("smtp", _address(line), ("status",))
                if fault is not None:
                    return f"{fault.status} told to fail"
                self._recipients.append(_address(line))
                return "250 OK"
            case "DATA" if self._recipients:
                await self._say("354 Go on")
                self._keep(await self._reader.readuntil(b"\r\n.\r\n"))
                return "250 Taken"
            case "RSET" | "NOOP":
                return "250 OK"
        return "503 Bad sequence" if verb == "DATA" else "502 Not here"

    def _keep(self, data: bytes) -> None:
        mail = message_from_bytes(data.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n."), policy=policy.default)
        body = mail.get_body(("plain",))
        kept = {
            "from": self._sender,
            "to": self._recipients,
            "subject": str(mail["subject"]),
            "message_id": str(mail["message-id"]),
            "text": "\n".join(str(body.get_content()).strip().splitlines()) if body is not None else "",
        }
        self._state.emails.append(kept)
        self._state.stamp("smtp", "mail", to=kept["to"], subject=kept["subject"])

    async def _say(self, line: str) -> None:
        self._writer.write(f"{line}\r\n".encode())
        await self._writer.drain()


def _address(line: str) -> str:
    return line.partition("<")[2].partition(">")[0]
