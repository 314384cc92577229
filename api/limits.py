"""No request body is larger than any request of ours needs to be."""

import re
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth import CODEC_PATH
from api.problems import plain_problem, problem_response

MAX_BODY_BYTES = 64 * 1_024
MAX_DOCUMENT_BYTES = 10_000_000
MAX_PLAYBOOK_BYTES = 1_000_000
MAX_LIST_BYTES = 2_000_000_000  # of contacts, which are read as they come
MAX_HISTORY_BYTES = 8_000_000  # of a page of history, sealed, for the Temporal UI
_PLAYBOOK = re.compile(r"/v1/playbooks/[^/]+$")
_LIST = re.compile(r"/v1/campaigns/[^/]+/lists/[^/]+$")
_DOCUMENT = re.compile(r"/v1/playbooks/[^/]+/documents/")


@dataclass(frozen=True)
class LimitBody:
    """ASGI middleware: 413 before a body that says it is too large is read, or where one turns out to be."""

    app: ASGIApp
    most: int = MAX_BODY_BYTES

    def _most_for(self, path: str) -> int:
        if _DOCUMENT.match(path):
            return MAX_DOCUMENT_BYTES
        if _LIST.match(path):
            return MAX_LIST_BYTES
        if path == CODEC_PATH:
            return MAX_HISTORY_BYTES
        return MAX_PLAYBOOK_BYTES if _PLAYBOOK.match(path) else self.most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        most = self._most_for(scope["path"])
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length) > most:
            return await problem_response(plain_problem(413))(scope, receive, send)
        read = 0

        async def receive_some() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > most:
                raise HTTPException(413)  # answered where it is: whoever reads a body stands behind the problems
            return message

        return await self.app(scope, receive_some, send)
