"""A campaign as the API's description shows it."""

from typing import Any, Final

RULES: Final[dict[str, Any]] = {
    "hours": [{"opens": "09:00:00", "closes": "20:00:00", "days": [0, 1, 2, 3, 4]}],
    "holidays": ["2026-12-25"],
    "blackouts": [],
    "needs_consent": True,
    "most_a_day": 2,
    "most_a_week": 4,
    "zones": "stated_or_number",
    "retries": {"busy": {"minutes": 15, "times": 3, "doubles": False}},
    "most_attempts": 5,
    "in_flight": 5,
    "per_representative": 0,
    "representatives": 0,
    "priority": 0,
    "good_hours": False,
    "voicemail": "message",
    "voicemail_line": "This is Northwind about your appointment. Please call us back.",
    "webhook_url": "https://customer.example/results",
}

NEW_CAMPAIGN: Final[dict[str, Any]] = RULES | {
    "name": "Reminders, December",
    "playbook": "appointment_reminder",
    "from": "+15550199",
}

CAMPAIGN: Final[dict[str, Any]] = {
    "id": "c5f0c7d2a9b6e",
    "name": "Reminders, December",
    "playbook": "appointment_reminder",
    "from": "+15550199",
    "phase": "running",
    "created_at": "2026-11-25T08:00:00Z",
    "started_at": "2026-11-25T08:05:00Z",
    "ended_at": None,
    "rules": RULES,
    "webhook_endpoint": "we_9c0d1e2f3a4b5c6d7e8f",
    "webhook_secret": None,
    "temporal_url": "http://127.0.0.1:8233/namespaces/default/workflows/campaign-c5f0c7d2a9b6e",
}

CONTACTS: Final[dict[str, Any]] = {
    "contacts": [
        {
            "number": "+12025550117",
            "zone": "America/New_York",
            "variables": {"first_name": "Ada"},
            "consent": {"given_at": "2026-03-01T10:00:00Z", "source": "web form"},
        }
    ]
}

PROGRESS: Final[dict[str, Any]] = {
    "phase": "running",
    "contacts": 1_000,
    "waiting": 640,
    "dialling": 5,
    "done": 355,
    "attempts": 410,
    "attempts_last_minute": 48,
    "answered": 290,
    "answer_rate": 0.716,
    "outcomes": {"reached": 280, "no_answer": 90, "busy": 25, "do_not_call": 10},
    "hindered": {"dnc": 12},
    "eta_s": 800,
}

CONTACT: Final[dict[str, Any]] = {
    "id": "3f2a9b6e4c1f",
    "number": "+12025550117",
    "state": "waiting",
    "due_at": "2026-11-25T15:00:00Z",
    "outcomes": ["busy"],
    "hindrance": None,
    "variables": {"first_name": "Ada"},
}

ATTEMPT: Final[dict[str, Any]] = {
    "call_id": "c5f0c7d2a9b6e-3f2a9b6e4c1f-1",
    "campaign": "c5f0c7d2a9b6e",
    "contact": "3f2a9b6e4c1f",
    "attempt": 1,
    "opened_at": "2026-11-25T14:45:00Z",
    "ended_at": "2026-11-25T14:45:20Z",
    "outcome": "busy",
    "zones": ["America/New_York"],
    "consent_source": "web form",
    "why_now": "first",
}

CONSENT: Final[dict[str, Any]] = {
    "given_at": "2026-03-01T10:00:00Z",
    "revoked_at": None,
    "expires_at": "2027-03-01T10:00:00Z",
    "source": "web form 2026-03-01",
    "lacks": None,
}

DNC_NUMBER: Final[dict[str, Any]] = {
    "number": "+12025550117",
    "scope": "tenant",
    "of": "default",
    "reason": "asked for in call c5f0c7d2a9b6e-3f2a9b6e4c1f-2",
    "added_at": "2026-11-25T14:50:00Z",
    "removed_at": None,
}
