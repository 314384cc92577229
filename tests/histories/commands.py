"""What a workflow's code tells Temporal to do, in which order and on which conditions: its story, and nothing else.

Read from the source: every function of ``workflows/`` that leads to a command, reduced to its commands, the branches
they stand in, and the calls of other such functions. Two versions of the same code that differ in it may tell the past
of a live call differently.
"""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

COMMANDS: Final = frozenset(
    {
        "continue_as_new",
        "execute_activity",
        "execute_activity_method",
        "execute_child_workflow",
        "execute_local_activity",
        "execute_local_activity_method",
        "patched",
        "signal_external",
        "sleep",
        "start_activity",
        "start_activity_method",
        "start_child_workflow",
        "start_local_activity",
        "start_local_activity_method",
        "upsert_memo",
        "upsert_search_attributes",
        "wait_condition",
        "wait_for",
    }
)
_ON: Final = frozenset({"workflow", "asyncio"})  # whose they are
_LEAVES: Final = (ast.Return, ast.Raise, ast.Break, ast.Continue)
_TELLING: Final = {"execute_activity_method", "start_activity_method", "execute_local_activity_method", "patched"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def commands_of(folder: Path) -> str:
    """The stories of all modules in a folder, as lines to keep and to compare."""
    functions = {
        f"{path.name} {name}": function
        for path in sorted(folder.glob("*.py"))
        for name, function in _functions(ast.parse(path.read_text()).body)
    }
    leading: set[str] = set()  # names of functions that lead to a command
    while more := {
        function.name
        for function in functions.values()
        if function.name not in leading and any(_telling(call, leading) for call in _calls(function))
    }:
        leading |= more
    stories: list[str] = []
    for name, function in functions.items():
        if function.name in leading:
            stories += [name, *_story(function.body, leading, 1)]
    return "\n".join(stories) + "\n"


def _functions(body: Iterable[ast.stmt], within: str = "") -> Iterator[tuple[str, Function]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{within}{node.name}.")
        elif isinstance(node, Function):
            yield within + node.name, node


def _story(body: Iterable[ast.stmt], leading: set[str], depth: int) -> Iterator[str]:
    """Lines; branches without a command or a way out are left out."""
    indent = "  " * depth
    for node in body:
        yield from (indent + told for told in _told(node, leading))
        for title, inner in _branches(node):
            if lines := list(_story(inner, leading, depth + 1)):
                yield indent + title
                yield from lines
        if isinstance(node, _LEAVES):
            yield indent + type(node).__name__.lower()


def _told(node: ast.stmt, leading: set[str]) -> Iterator[str]:
    """The commands of a statement itself, not of those within it."""
    inner = {id(line) for _, lines in _branches(node) for line in lines}
    inner |= {id(line) for line in getattr(node, "orelse", ())}  # an elif's condition is told with its branch
    for call in _calls(node, inner):
        if _telling(call, leading):
            name = _name(call)
            yield f"{name} {ast.unparse(call.args[0])}" if name in _TELLING and call.args else name


def _branches(node: ast.stmt) -> Iterator[tuple[str, list[ast.stmt]]]:
    match node:
        case ast.If(test, body, orelse):
            yield f"if {ast.unparse(test)}", body
            while len(orelse) == 1 and isinstance(orelse[0], ast.If):
                yield f"elif {ast.unparse(orelse[0].test)}", orelse[0].body
                orelse = orelse[0].orelse
            yield "else", orelse
        case ast.While(test, body, orelse):
            yield f"while {ast.unparse(test)}", body
            yield "else", orelse
        case ast.For(_, iterable, body, orelse) | ast.AsyncFor(_, iterable, body, orelse):
            yield f"for {ast.unparse(iterable)}", body
            yield "else", orelse
        case ast.With(_, body) | ast.AsyncWith(_, body):
            yield "with", body
        case ast.Try(body, handlers, orelse, finalbody):
            yield "try", body
            for handler in handlers:
                yield f"except {ast.unparse(handler.type) if handler.type else ''}", handler.body
            yield "else", orelse
            yield "finally", finalbody
        case ast.Match(subject, cases):
            for case in cases:
                guard = f" if {ast.unparse(case.guard)}" if case.guard else ""
                yield f"case {ast.unparse(subject)}: {ast.unparse(case.pattern)}{guard}", case.body
        case ast.FunctionDef(name=name, body=body) | ast.AsyncFunctionDef(name=name, body=body):
            yield f"def {name}", body


def _calls(node: ast.AST, but: Iterable[int] = ()) -> Iterator[ast.Call]:
    """All calls within, in the order of the source."""
    for child in ast.iter_child_nodes(node):
        if id(child) not in but:
            yield from _calls(child, but)
    if isinstance(node, ast.Call):
        yield node


def _telling(call: ast.Call, leading: set[str]) -> bool:
    name = _name(call)
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name) and call.func.value.id in _ON:
        timed = name != "wait_condition" or any(keyword.arg == "timeout" for keyword in call.keywords)
        return name in COMMANDS and timed
    return name in leading


def _name(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
