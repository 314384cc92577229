"""What a playbook says about how its lines and answers are listened to."""

import pytest

from activities.playbook_shelf import PlaybookShelf, ReadyPlaybook
from core.manner import Manner
from core.playbook import Playbook, PlaybookStep
from tests.world.fakes import FakePlaybooks
from tests.world.playbook import orders

GREETING = "I am an AI assistant. How can I help?"


async def ready(**changes: object) -> ReadyPlaybook:
    playbook: Playbook = orders().model_copy(update=changes)
    return await PlaybookShelf(FakePlaybooks(playbook)).get(playbook.ref)


@pytest.mark.parametrize(
    ("changes", "line", "protected"),
    [
        ({}, GREETING, 1),
        ({"protect_disclosure": False}, GREETING, 0),
        ({"disclosure": "Hello, it's Ada. I am an AI. We record this call."}, GREETING, 0),
        ({"disclosure": "Hello, it's Ada. We record this call."}, "Hello, it's Ada. We record this call. Go on?", 2),
        ({"protected_lines": ("Fees may apply!",)}, "By the way: hello. Fees may apply. Anything else?", 2),
        ({}, "One moment, please.", 0),
    ],
)
async def test_how_much_of_a_line_is_said_to_its_end(changes: dict[str, object], line: str, protected: int) -> None:
    assert (await ready(**changes)).listen_in(Manner(), "order_status", line).protected == protected


async def test_a_step_may_keep_its_answers_from_being_interrupted() -> None:
    terms = PlaybookStep(name="terms", goal="Read the terms out.", interruptible=False)
    playbook = await ready(steps=(*orders().steps, terms))
    assert not playbook.listen_in(Manner(), "terms").interruptible
    assert playbook.listen_in(Manner(), "returns").interruptible
