"""Plain HTTP answers on a port that serves sockets."""

from collections.abc import Mapping
from http import HTTPStatus

from picows import WSUpgradeResponse, WSUpgradeResponseWithListener


def answer(
    status: HTTPStatus,
    body: bytes,
    content_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> WSUpgradeResponseWithListener:
    """A whole answer; no socket follows."""
    fields = {"Content-Type": content_type, **(headers or {})}
    if status is HTTPStatus.OK:
        response = WSUpgradeResponse.create_ok_response(body, fields)
    else:
        response = WSUpgradeResponse.create_error_response(status, body, fields)
    return WSUpgradeResponseWithListener(response, None)
