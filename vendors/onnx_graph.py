"""The nodes of an ONNX file's graph, to be read, taken out and put in.

The file is edited as what it is, protocol buffers: `onnx` would be a large dependency for moving forty nodes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_GRAPH: Final = 7  # the fields of onnx.proto that matter here: of a model,
_OPERATORS: Final = 8
_NODE: Final = 1  # of a graph,
_RESULT: Final = 12
_INPUT: Final = 1  # of a node,
_OUTPUT: Final = 2
_OPERATOR: Final = 4
_ATTRIBUTE: Final = 5
_DOMAIN: Final = 7
_NAME: Final = 1  # of a result, of an attribute
_SIZES: Final = {1: 8, 5: 4}  # in bytes, of the wire types of one size


@dataclass(frozen=True, slots=True)
class Node:
    """An operator; its output's names are found in other nodes' inputs."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    written: bytes


@dataclass(frozen=True, slots=True)
class Graph:
    """``others`` is all that is no node, as it is written."""

    nodes: list[Node]
    others: list[bytes]
    results: tuple[str, ...]


def rewritten(model: bytes, change: Callable[[Graph], Sequence[Node]], operators: str = "") -> bytes:
    """The same model with other nodes.

    Args:
        operators: a set of operators that the new nodes need beside the standard one.

    Raises:
        ValueError: it is no model; or what ``change`` raises.
    """
    parts = [
        _field(_GRAPH, _with_nodes(content, change)) if number == _GRAPH else bytes(written)
        for number, content, written in _fields(memoryview(model))
    ]
    if not parts:
        raise ValueError("it is empty")
    if operators:
        parts.append(_field(_OPERATORS, _field(1, operators.encode()) + b"\x10\x01"))  # its version 1
    return b"".join(parts)


def node(
    operator: str, inputs: Sequence[str], outputs: Sequence[str], attributes: Sequence[bytes] = (), domain: str = ""
) -> Node:
    """A new one."""
    parts = [_field(_INPUT, name.encode()) for name in inputs]
    parts += [_field(_OUTPUT, name.encode()) for name in outputs]
    parts.append(_field(_OPERATOR, operator.encode()))
    parts += [_field(_ATTRIBUTE, attribute) for attribute in attributes]
    if domain:
        parts.append(_field(_DOMAIN, domain.encode()))
    return Node(operator, tuple(inputs), tuple(outputs), b"".join(parts))


def whole_number(name: str, value: int) -> bytes:
    """An attribute: ``value`` from 0 to 127."""
    return _field(_NAME, name.encode()) + bytes((0x18, value)) + b"\xa0\x01\x02"  # its type: INT


def _with_nodes(graph: memoryview, change: Callable[[Graph], Sequence[Node]]) -> bytes:
    nodes, others, results = list[Node](), list[bytes](), list[str]()
    for number, content, written in _fields(graph):
        if number == _NODE:
            nodes.append(_read(content))
            continue
        others.append(bytes(written))
        if number == _RESULT:
            results += [str(name, "utf-8") for field, name, _ in _fields(content) if field == _NAME]
    changed = change(Graph(nodes, others, tuple(results)))
    return b"".join([*(_field(_NODE, one.written) for one in changed), *others])


def _read(written: memoryview) -> Node:
    texts: dict[int, list[str]] = {_INPUT: [], _OUTPUT: [], _OPERATOR: []}
    for number, content, _ in _fields(written):
        if number in texts:
            texts[number].append(str(content, "utf-8"))
    return Node(texts[_OPERATOR][0], tuple(texts[_INPUT]), tuple(texts[_OUTPUT]), bytes(written))


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview, memoryview]]:
    """Number, content and the whole of each field as it is written. Raises ValueError."""
    at = 0
    while at < len(message):
        start = at
        tag, at = _whole(message, at)
        kind = tag & 7
        if kind == 0:
            _, end = _whole(message, at)
        elif kind == 2:
            size, at = _whole(message, at)
            end = at + size
        elif kind in _SIZES:
            end = at + _SIZES[kind]
        else:
            raise ValueError("no protocol buffers")
        if end > len(message):
            raise ValueError("cut off")
        yield tag >> 3, message[at:end], message[start:end]
        at = end


def _whole(message: memoryview, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and where it ends."""
    value = shift = 0
    while at < len(message):
        value |= (message[at] & 0x7F) << shift
        if message[at] < 0x80:
            return value, at + 1
        at, shift = at + 1, shift + 7
    raise ValueError("cut off")


def _field(number: int, content: bytes) -> bytes:
    """One of bytes."""
    size, rest = [number << 3 | 2], len(content)
    while rest >= 0x80:
        size.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*size, rest]) + content
