"""What a call remembers of its tools, and that it outlives a run of the workflow."""

from dataclasses import replace

from pydantic import TypeAdapter

from core.contracts.tools import RunTool, ToolOutcome
from core.conversation import ToolCall, ToolResult
from core.tool_memory import Pending, ToolMemory

FIND = ToolCall("t1", "find_order", {"order_number": "482"})
RUN = RunTool("CA1", "orders@1", "order_status", 2, FIND, "CA1:2:1", "+12025550123")
FOUND = ToolOutcome(FIND, True, "{}", keep_s=60, tried=True)
WRITE = ToolCall("t2", "note")
WRITTEN = ToolOutcome(WRITE, True, '{"id": 1}', effect="write", tried=True, undoable=True)


def wrote(turn: int, request: int | None = None, memory: ToolMemory | None = None) -> ToolMemory:
    memory = memory or ToolMemory()
    run = replace(RUN, call=WRITE, turn=turn, idempotency_key=f"CA1:{turn}:1")
    memory.remember(run, WRITTEN, turn if request is None else request, 0)
    return memory


def test_answer_is_told_again_for_its_time_in_its_step() -> None:
    memory = ToolMemory()
    memory.remember(RUN, FOUND, 2, 1_000)
    again = replace(FIND, id="t9")
    assert memory.recall("order_status", again, 60_999) == ToolResult(again, True, "{}")
    assert memory.recall("order_status", again, 61_000) is None
    assert memory.recall("returns", again, 2_000) is None
    assert memory.recall("order_status", replace(FIND, arguments={"order_number": "483"}), 2_000) is None


def test_write_that_may_have_had_its_effect_makes_answers_old() -> None:
    for outcome, kept in ((WRITTEN, False), (replace(WRITTEN, ok=False), False), (replace(WRITTEN, tried=False), True)):
        memory = ToolMemory()
        memory.remember(RUN, FOUND, 2, 0)
        memory.remember(replace(RUN, call=WRITE), outcome, 2, 0)
        assert (memory.recall("order_status", FIND, 1) is not None) is kept


def test_failed_answer_is_not_kept() -> None:
    memory = ToolMemory()
    memory.remember(RUN, replace(FOUND, ok=False), 2, 0)
    assert memory.recall("order_status", FIND, 1) is None


def test_request_is_undone_once_and_from_its_end() -> None:
    memory = wrote(3, memory=wrote(2, request=2), request=2)
    assert [done.turn for done in memory.take_undoable(2)] == [3, 2]
    assert memory.take_undoable(2) == []


def test_caller_can_take_back_what_was_done_in_this_turn_or_the_one_before() -> None:
    memory = wrote(4, request=3)
    assert [memory.last_request(turn) for turn in (4, 5, 6)] == [3, 3, None]


def test_no_ordinal_is_used_twice_in_a_turn() -> None:
    memory = ToolMemory()
    assert [memory.number(1, 0), memory.number(1, 0), memory.number(1, 1), memory.number(1, 5)] == [1, 2, 3, 6]
    assert memory.number(2, 0) == 1


def test_memory_outlives_a_run_of_the_workflow() -> None:
    memory = wrote(2)
    memory.remember(RUN, FOUND, 2, 0)
    memory.pending = Pending(WRITE, "order_status", 2, "Is that right?")
    kind = TypeAdapter(ToolMemory)
    assert kind.validate_json(kind.dump_json(memory)) == memory
