"""One call and one playbook, as the API's description shows them: what the schemas say, filled in."""

from typing import Any, Final

from api import campaign_examples

CALL: Final[dict[str, Any]] = {
    "id": "CA5ef8732a3c49700934481addd5ce1659",
    "direction": "inbound",
    "playbook": "order_support@bf4709f9af05",
    "caller_number": "+12025550117",
    "our_number": "+12025550142",
    "phase": "ended",
    "live": False,
    "step": "goodbye",
    "disposition": "completed",
    "started_at": "2026-11-25T19:24:13.543Z",
    "answered_at": "2026-11-25T19:24:13.543Z",
    "ended_at": "2026-11-25T19:25:00.075Z",
    "turns": 1,
    "cost_usd": 0.0474,
    "talk_over_rate": 0.02,
    "summary": {
        "summary": "The caller asked where order 48213 is. It has shipped and is expected on Tuesday.",
        "topic": "order status",
        "resolved": True,
        "follow_up": "",
    },
    "crm_note": "note-1",
    "temporal_url": "http://127.0.0.1:8233/namespaces/default/workflows/call-CA5ef8732a3c49700934481addd5ce1659",
}

LIVE_CALL: Final[dict[str, Any]] = CALL | {
    "phase": "live",
    "live": True,
    "step": "order_status",
    "disposition": None,
    "ended_at": None,
    "cost_usd": 0.0,
    "talk_over_rate": None,
    "summary": None,
    "crm_note": None,
    "transfers": [],
    "transcript": [
        {
            "turn": 1,
            "caller": "Where is order 48213?",
            "confidence": 0.96,
            "step": "order_status",
            "step_method": "lexical",
            "step_confidence": 1.0,
            "matters": [],
            "choices": [],
            "answer_method": "model",
            "mood": "calm",
            "said": "Order 48213 has shipped. It is expected on Tuesday.",
            "heard": "Order 48213 has shipped.",
            "interrupted": True,
            "played_ms": 1640,
            "talk_over_ms": 140,
            "supervisor": "",
            "told_from": [],
            "tools": [
                {
                    "name": "get_order_status",
                    "arguments": {"order_number": "48213"},
                    "ok": True,
                    "content": '{"order_number": "48213", "status": "shipped", "expected_day": "Tuesday"}',
                    "took_ms": 84,
                }
            ],
            "layers_ms": {
                "end_of_turn": 361.0,
                "hop": 11.0,
                "step": 0.2,
                "tools": 473.6,
                "model": 388.1,
                "voice": 130.7,
                "gateway": 0.6,
            },
            "latency_ms": 1365.2,
            "started_at": "2026-11-25T19:24:31.102Z",
        }
    ],
    "state": {
        "phase": "live",
        "step": "order_status",
        "believes": {},
        "confirmed": {"order_number": "48213"},
        "done": ["turn 1: get_order_status"],
        "next": "wait for the caller",
        "last_caller": "Where is order 48213?",
        "last_assistant": "Order 48213 has shipped.",
        "mood": "calm",
        "missing": [],
        "sources": {"order_number": "tool"},
        "summary": "",
        "earlier": "",
        "taken_over_by": "",
        "told_from": ["returns.md, Refunds"],
        "wants": ["returns"],
        "choices": [],
    },
}

NEW_CALL: Final[dict[str, Any]] = {
    "to": "+12025550161",
    "playbook": "appointment_reminder",
    "variables": {"patient_name": "Jamie Rivera"},
}

PLAYBOOK: Final[dict[str, Any]] = {
    "ref": "order_support@bf4709f9af05",
    "playbook": {
        "name": "order_support",
        "goal": "Answer customers' questions about their orders.",
        "persona": "You are Robin of Northwind Outfitters, friendly and brief.",
        "numbers": ["+12025550142"],
        "greeting": "Hello, this is Robin at Northwind Outfitters. How can I help you with your order?",
        "transfer_to": "+12025550190",
        "steps": [
            {
                "name": "order_status",
                "goal": "Find out the order number and tell where the order is.",
                "examples": ["Where is my order?"],
                "tools": ["get_order_status"],
            }
        ],
        "tools": [
            {
                "name": "get_order_status",
                "description": "Where an order is and when it will arrive.",
                "operation": "get_order_status",
                "arguments": {
                    "type": "object",
                    "properties": {"order_number": {"type": "string"}},
                    "required": ["order_number"],
                },
            }
        ],
    },
}

READINESS: Final[dict[str, Any]] = {
    "ready": False,
    "checks": {
        "temporal": {"ok": True, "took_ms": 3.3, "error": None},
        "database": {"ok": False, "took_ms": 12.1, "error": "database: ConnectionRefusedError"},
    },
}

CALLBACK: Final[dict[str, Any]] = {
    "id": "CA5ef8732a3c49700934481addd5ce1659:1",
    "call_id": "CA5ef8732a3c49700934481addd5ce1659",
    "queue": "billing",
    "caller_number": "+12025550117",
    "reason": "asks for a refund",
    "summary": "The caller wants a refund for order 48213, which came damaged.",
    "created_at": "2026-11-25T19:25:00.075Z",
    "completed_at": None,
    "completed_by": "",
    "note": "",
}

TRANSFER: Final[dict[str, Any]] = {
    "transfer": 1,
    "queue": "billing",
    "cause": "request",
    "reason": "asks for a refund",
    "number": "+12025550190",
    "by": "",
    "summary": "The caller wants a refund for order 48213, which came damaged.",
    "outcome": "no_answer",
    "tried": ["busy"],
    "callback": True,
    "started_at": "2026-11-25T19:24:20.000Z",
    "accepted_at": None,
    "bridged_at": None,
    "ended_at": "2026-11-25T19:25:00.075Z",
}

CALL_EXAMPLE: Final[dict[str, Any]] = {
    "id": "5f0a6c5d1e2b3f4a5b6c7d8e",
    "playbook": "order_support",
    "step": "returns",
    "text": "the shoes pinch, what can we do",
    "review": "new",
    "call_id": "CA5ef8732a3c49700934481addd5ce1659",
    "turn": 3,
    "confidence": 0.92,
    "created_at": "2026-11-25T19:25:00.075Z",
    "decided_at": None,
    "decided_by": "",
}

LEARNT: Final[dict[str, Any]] = {
    "version": "0123456789ab",
    "method": "minilm",
    "ref": "order_support@574d6f191637",
    "examples": 214,
    "grown": 162,
    "threshold": 0.64,
    "learnt_at": "2026-11-25T19:27:00.075Z",
}

METHOD_TRUST: Final[dict[str, Any]] = {"method": "minilm", "audited": 212, "agreed": 209, "bar": 0.0}

EXAMPLES: Final = {
    "Call": CALL,
    "CallDetail": LIVE_CALL,
    "CallbackTask": CALLBACK,
    "CallExample": CALL_EXAMPLE,
    "LearntState": LEARNT,
    "MethodTrust": METHOD_TRUST,
    "Transfer": TRANSFER,
    "PlaybookDetail": PLAYBOOK,
    "Readiness": READINESS,
    "NewCampaign": campaign_examples.NEW_CAMPAIGN,
    "Campaign": campaign_examples.CAMPAIGN,
    "Progress": campaign_examples.PROGRESS,
    "ContactResult": campaign_examples.CONTACT,
    "AttemptMade": campaign_examples.ATTEMPT,
    "ConsentKept": campaign_examples.CONSENT,
    "DncNumber": campaign_examples.DNC_NUMBER,
}
"""By the name of their schema."""
