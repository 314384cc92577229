"""Twilio's resources as JSON."""

from email.utils import formatdate
from typing import Any

from sandbox.config import SandboxConfig
from sandbox.twilio.call import Call
from sandbox.twilio.conference import Conference, Participant

API_VERSION = "2010-04-01"


def call_resource(call: Call) -> dict[str, Any]:
    """A call."""
    account = call.carrier.config.account_sid
    return {
        "sid": call.sid,
        "account_sid": account,
        "parent_call_sid": call.plan.parent_sid,
        "to": call.plan.to,
        "to_formatted": call.plan.to,
        "from": call.plan.from_,
        "from_formatted": call.plan.from_,
        "status": call.status,
        "direction": call.plan.direction,
        "answered_by": call.answered_by,
        "date_created": _date(call.created_ms),
        "date_updated": _date(call.ended_ms or call.answered_ms or call.created_ms),
        "start_time": _date(call.created_ms),
        "end_time": _date(call.ended_ms),
        "duration": str(call.duration_seconds) if call.ended_ms is not None else None,
        "price": None,
        "price_unit": "USD",
        "phone_number_sid": None,
        "api_version": API_VERSION,
        "caller_name": None,
        "forwarded_from": None,
        "group_sid": None,
        "queue_time": "0",
        "trunk_sid": None,
        "uri": f"{_account_uri(account)}/Calls/{call.sid}.json",
        "subresource_uris": {},
    }


def conference_resource(conference: Conference, config: SandboxConfig) -> dict[str, Any]:
    """A conference."""
    return {
        "sid": conference.sid,
        "account_sid": config.account_sid,
        "friendly_name": conference.name,
        "status": conference.status,
        "region": "us1",
        "date_created": _date(conference.created_ms),
        "date_updated": _date(conference.ended_ms or conference.created_ms),
        "api_version": API_VERSION,
        "reason_conference_ended": None,
        "call_sid_ending_conference": None,
        "uri": f"{_account_uri(config.account_sid)}/Conferences/{conference.sid}.json",
        "subresource_uris": {},
    }


def participant_resource(
    conference: Conference, participant: Participant, config: SandboxConfig, status: str
) -> dict[str, Any]:
    """A participant; ``status`` is its call's, in the words participants have for it."""
    base = f"{_account_uri(config.account_sid)}/Conferences/{conference.sid}"
    return {
        "account_sid": config.account_sid,
        "call_sid": participant.call_sid,
        "conference_sid": conference.sid,
        "label": participant.label,
        "muted": participant.seat.muted,
        "hold": participant.seat.on_hold,
        "coaching": False,
        "call_sid_to_coach": None,
        "start_conference_on_enter": participant.starts_conference,
        "end_conference_on_exit": participant.ends_conference,
        "status": status,
        "date_created": _date(participant.joined_ms),
        "date_updated": _date(participant.joined_ms),
        "uri": f"{base}/Participants/{participant.call_sid}.json",
    }


def message_resource(sid: str, form: dict[str, str], config: SandboxConfig, created_ms: float) -> dict[str, Any]:
    """A text message that was accepted."""
    return {
        "sid": sid,
        "account_sid": config.account_sid,
        "api_version": API_VERSION,
        "to": form.get("To"),
        "from": form.get("From"),
        "messaging_service_sid": form.get("MessagingServiceSid"),
        "body": form.get("Body", ""),
        "status": "queued",
        "direction": "outbound-api",
        "num_segments": str(1 + len(form.get("Body", "")) // 160),
        "num_media": "0",
        "date_created": _date(created_ms),
        "date_updated": _date(created_ms),
        "date_sent": None,
        "error_code": None,
        "error_message": None,
        "price": None,
        "price_unit": "USD",
        "uri": f"{_account_uri(config.account_sid)}/Messages/{sid}.json",
        "subresource_uris": {},
    }


def account_resource(config: SandboxConfig) -> dict[str, Any]:
    """The account."""
    return {
        "sid": config.account_sid,
        "owner_account_sid": config.account_sid,
        "friendly_name": "Sandbox",
        "status": "active",
        "type": "Full",
        "auth_token": "hidden",
        "date_created": _date(0.0),
        "date_updated": _date(0.0),
        "uri": f"{_account_uri(config.account_sid)}.json",
        "subresource_uris": {},
    }


def page(key: str, records: list[dict[str, Any]], number: int, size: int, path: str, query: str) -> dict[str, Any]:
    """One page of a list; ``query`` is the request's without Page and PageSize."""
    shown = records[number * size : (number + 1) * size]
    more = len(records) > (number + 1) * size

    def uri(of: int) -> str:
        return f"{path}?{query + '&' if query else ''}PageSize={size}&Page={of}"

    return {
        key: shown,
        "page": number,
        "page_size": size,
        "start": number * size,
        "end": number * size + max(0, len(shown) - 1),
        "uri": uri(number),
        "first_page_uri": uri(0),
        "next_page_uri": uri(number + 1) if more else None,
        "previous_page_uri": uri(number - 1) if number else None,
    }


def _account_uri(sid: str) -> str:
    return f"/{API_VERSION}/Accounts/{sid}"


def _date(ms: float | None) -> str | None:
    return None if ms is None else formatdate(ms / 1_000)
