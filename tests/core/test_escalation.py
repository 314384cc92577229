"""When a person is brought in though nobody has asked for one."""

from core.contracts.playbook import EscalationRules
from core.contracts.transfer import Cause
from core.conversation import ToolCall, ToolResult, Turn
from core.escalation import due

RULES = EscalationRules(after_tool_failures=2, after_unsure_turns=2, unsure_below=0.5)


def turn(number: int, confidence: float = 0.9, *tools: bool, name: str = "find_order") -> Turn:
    results = [ToolResult(ToolCall("t", name, {}), ok, "") for ok in tools]
    return Turn(number, "order_status", "Hm?", step_confidence=confidence, tools=results)


def test_tools_that_fail_in_a_row_bring_a_person() -> None:
    assert due([turn(1, 0.9, False), turn(2, 0.9, False)], RULES) is Cause.TOOL_FAILURE
    assert due([turn(1, 0.9, False, False, True)], RULES) is None
    assert due([turn(1, 0.9, False)], RULES) is None


def test_transfer_that_came_to_nothing_is_no_failed_tool() -> None:
    assert due([turn(1, 0.9, False), turn(2, 0.9, False, name="transfer_to_human")], RULES) is None


def test_turns_nobody_is_sure_of_bring_a_person() -> None:
    assert due([turn(1, 0.4), turn(2, 0.3)], RULES) is Cause.LOW_CONFIDENCE
    assert due([turn(1, 0.4), turn(2, 0.6)], RULES) is None


def test_turn_that_may_be_none_does_not_count() -> None:
    guess = turn(2, 0.3)
    guess.eager = 7
    assert due([turn(1, 0.4), guess], RULES) is None


def test_nothing_happens_without_rules() -> None:
    assert due([turn(1, 0.0, False), turn(2, 0.0, False)], EscalationRules()) is None
