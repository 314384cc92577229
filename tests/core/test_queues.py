"""Who is there when."""

from datetime import UTC, datetime

import pytest

from core.playbook import Playbook, PlaybookFaults, parse_playbook
from core.queues import Queue
from tests.world.playbook import ORDERS

QUEUES = """
queues:
  - name: billing
    numbers: ["+12025550171", "+12025550172"]
    time_zone: Europe/Berlin
    hours:
      - {days: [mon, tue, wed, thu, fri], opens: 09:00, closes: 17:00}
      - {days: [sat], opens: "22:00", closes: "02:00"}
    closed_on: [2026-12-25]
"""


def with_queues(more: str = "") -> Playbook:
    return parse_playbook(ORDERS + QUEUES + more)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture(scope="module")
def billing() -> Queue:
    return with_queues().queue("billing")


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-26 08:00", True),  # Thursday, nine in Berlin
        ("2026-11-26 07:59", False),
        ("2026-11-26 16:00", False),  # five in Berlin: closed
        ("2026-07-01 07:00", True),  # summer time
        ("2026-11-29 10:00", False),  # Sunday
        ("2026-11-28 21:30", True),  # Saturday night
        ("2026-11-29 00:30", True),  # and still, on Sunday
        ("2026-11-29 01:00", False),
        ("2026-12-25 10:00", False),  # a day off
    ],
)
def test_queue_is_open_in_its_own_hours(billing: Queue, moment: str, is_open: bool) -> None:
    assert billing.is_open(at(moment)) is is_open


def test_queue_without_hours_is_always_open_but_on_days_off() -> None:
    queue = Queue.model_validate({"name": "all", "numbers": ["+12025550171"], "closed_on": ["2026-12-25"]})
    assert queue.is_open(at("2026-11-29 03:00"))
    assert not queue.is_open(at("2026-12-25 03:00"))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("Europe/Berlin", "no time zone"),
        ("opens: 09:00, closes: 17:00", "is when it opens"),
        ('"+12025550171", ', "at least 1"),
    ],
)
def test_faults_of_queues_are_told(wrong: str, told: str) -> None:
    put = {"Europe/Berlin": "Berlin", "opens: 09:00, closes: 17:00": "opens: 09:00, closes: 09:00"}
    text = ORDERS + QUEUES.replace(wrong, put.get(wrong, ""))
    if wrong not in put:
        text = text.replace('["+12025550172"]', "[]")
    with pytest.raises(PlaybookFaults, match=told):
        parse_playbook(text)


def test_step_that_names_no_queue_of_ours_is_a_fault() -> None:
    text = (ORDERS + QUEUES).replace("escalates: true", "escalates: true\n    queue: biling")
    with pytest.raises(PlaybookFaults, match=r"steps.2.queue: no queue is named 'biling' \(did you mean 'billing'\?\)"):
        parse_playbook(text)


def test_rules_that_escalate_need_queues() -> None:
    with pytest.raises(PlaybookFaults, match="needs queues"):
        parse_playbook(ORDERS + "escalation: {after_tool_failures: 2}\n")
