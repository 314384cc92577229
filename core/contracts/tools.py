"""What the history of a call remembers of its tools: requests to and outcomes of their activities."""

from dataclasses import dataclass, field

from core.conversation import ToolCall, ToolResult, Usage


@dataclass(frozen=True)
class RunTool:
    """Carry out one tool call, once."""

    call_id: str
    playbook: str
    step: str
    turn: int
    call: ToolCall
    idempotency_key: str  # "<call>:<turn>:<ordinal>"
    caller_number: str
    digits_url: str = ""  # of the call's gateway now, for arguments that name sensitive digits
    our_number: str = ""
    direction: str = "inbound"
    variables: dict[str, str] = field(default_factory=dict)
    language: str = ""  # that arguments are read back in; "": the playbook's first
    confirmed: bool = False  # the caller has said yes to these arguments
    wrong_before: bool = False  # the model's last arguments for this tool, in this turn, failed the schema


@dataclass(frozen=True)
class ToolOutcome(ToolResult):
    """A tool's result, and what the workflow has to know of it."""

    effect: str = "read"  # core.tools.Effect
    tried: bool = False  # it was really sent: it may have had its effect even where it has failed
    wrong: bool = False  # the arguments failed the schema
    ask: str = ""  # nothing was done: the caller has to say yes to this first
    keep_s: float = 0.0  # so long the answer may be told again
    undoable: bool = False

    @property
    def result(self) -> ToolResult:
        """As the conversation remembers it."""
        return ToolResult(self.call, self.ok, self.content, self.took_ms)

    @property
    def writes(self) -> bool:
        """Whether the tool changes something."""
        return self.effect != "read"


@dataclass(frozen=True)
class UndoTool:
    """Take a write back, once. ``done`` is what asked for it, ``answer`` what came of it (JSON)."""

    done: RunTool
    answer: str


@dataclass(frozen=True)
class JudgeConfirmation:
    """Ask the model whether the caller's words confirm what was read back to them."""

    call_id: str
    turn: int
    read_back: str
    text: str


@dataclass(frozen=True)
class Judged:
    """A core.confirming.Verdict."""

    verdict: str
    usage: Usage = Usage()
