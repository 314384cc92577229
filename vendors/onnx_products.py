"""Has a model multiply its int8 weights as they are, instead of making float32 of them first.

Such a file holds each matrix as int8 with a scale a column, and nodes that unpack it: Cast, Mul, MatMul. Run so, a
model takes four times the memory of its file, and twice the time. Here each of these products becomes one of whole
numbers, whose other side is quantised as it comes: DynamicQuantizeLinear, MatMulInteger, and back to float32 by both
scales, which onnxruntime computes in one go.

The file is edited as what it is, protocol buffers: `onnx` would be a large dependency for moving forty nodes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_GRAPH: Final = 7  # the fields of onnx.proto that matter here: of a model,
_NODE: Final = 1  # of a graph,
_INPUT: Final = 1  # of a node,
_OUTPUT: Final = 2
_OPERATOR: Final = 4
_ATTRIBUTE: Final = 5
_TO_FLOAT32: Final = b"\x0a\x02to\x18\x01\xa0\x01\x02"  # an attribute: name "to", whole number 1, type INT
_SIZES: Final = {1: 8, 5: 4}  # in bytes, of the wire types of one size


@dataclass(frozen=True, slots=True)
class _Node:
    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    written: bytes


@dataclass(frozen=True, slots=True)
class _Matrix:
    """An int8 matrix, its scales, and what its unpacking puts out on the way."""

    weights: str
    scales: str
    unpacked: tuple[str, str]


def with_integer_products(model: bytes) -> bytes:
    """The same model, whose products with int8 matrices are computed in whole numbers.

    Raises:
        ValueError: it is no model, or has no such product.
    """
    parts = [
        _field(_GRAPH, _rewritten(content)) if number == _GRAPH else bytes(written)
        for number, content, written in _fields(memoryview(model))
    ]
    if not parts:
        raise ValueError("it is empty")
    return b"".join(parts)


def _rewritten(graph: memoryview) -> bytes:
    nodes, others = [], []
    for number, content, written in _fields(graph):
        if number == _NODE:
            nodes.append(_read(content))
        else:
            others.append(bytes(written))
    matrices = _matrices(nodes)
    unpacked = {name for matrix in matrices.values() for name in matrix.unpacked}
    quantised: set[str] = set()
    found: list[bytes] = []
    for node in nodes:
        if node.operator == "MatMul" and node.inputs[1] in matrices:
            found += _product(node, matrices[node.inputs[1]], quantised)
        elif unpacked.isdisjoint(node.outputs):
            found.append(node.written)
    if not quantised:
        raise ValueError("no product with an int8 matrix")
    return b"".join([*(_field(_NODE, node) for node in found), *others])


def _matrices(nodes: Sequence[_Node]) -> dict[str, _Matrix]:
    """By the name of what is unpacked from them; those that nothing but products needs."""
    makers = {output: node for node in nodes for output in node.outputs}
    found: dict[str, _Matrix] = {}
    for node in nodes:
        cast = makers.get(node.inputs[0]) if node.operator == "Mul" else None
        if cast is not None and cast.operator == "Cast" and makers.keys().isdisjoint([*cast.inputs, node.inputs[1]]):
            unpacked = (cast.outputs[0], node.outputs[0])
            found[node.outputs[0]] = _Matrix(cast.inputs[0], node.inputs[1], unpacked)
    for node in nodes:
        wanted = node.inputs[:1] if node.operator == "MatMul" else node.inputs
        for name in wanted:
            found.pop(name, None)
    return found


def _product(node: _Node, matrix: _Matrix, quantised: set[str]) -> Iterator[bytes]:
    """The nodes that compute it; the other side is quantised once, for all products that it has part in."""
    other, product = node.inputs[0], node.outputs[0]
    if other not in quantised:
        quantised.add(other)
        yield _node("DynamicQuantizeLinear", [other], [f"{other}/int8", f"{other}/scale", f"{other}/zero"])
    yield _node("MatMulInteger", [f"{other}/int8", matrix.weights, f"{other}/zero"], [f"{product}/whole"])
    yield _node("Cast", [f"{product}/whole"], [f"{product}/float"], _TO_FLOAT32)
    yield _node("Mul", [f"{other}/scale", matrix.scales], [f"{product}/scale"])
    yield _node("Mul", [f"{product}/float", f"{product}/scale"], [product])


def _read(node: memoryview) -> _Node:
    texts: dict[int, list[str]] = {_INPUT: [], _OUTPUT: [], _OPERATOR: []}
    for number, content, _ in _fields(node):
        if number in texts:
            texts[number].append(str(content, "utf-8"))
    return _Node(texts[_OPERATOR][0], tuple(texts[_INPUT]), tuple(texts[_OUTPUT]), bytes(node))


def _node(operator: str, inputs: Sequence[str], outputs: Sequence[str], attribute: bytes = b"") -> bytes:
    parts = [_field(_INPUT, name.encode()) for name in inputs]
    parts += [_field(_OUTPUT, name.encode()) for name in outputs]
    parts.append(_field(_OPERATOR, operator.encode()))
    if attribute:
        parts.append(_field(_ATTRIBUTE, attribute))
    return b"".join(parts)


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
