"""Has a model multiply its int8 weights as they are, instead of making float32 of them first.

Such a file holds each matrix as int8 with a scale a column, and nodes that unpack it: Cast, Mul, MatMul. Run so, a
model takes four times the memory of its file, and twice the time. Here each of these products becomes one of whole
numbers, whose other side is quantised as it comes: DynamicQuantizeLinear, MatMulInteger, and back to float32 by both
scales, which onnxruntime computes in one go.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from vendors.onnx_graph import Graph, Node, node, rewritten, whole_number

_TO_FLOAT32: Final = whole_number("to", 1)


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
    return rewritten(model, _changed)


def _changed(graph: Graph) -> list[Node]:
    matrices = _matrices(graph.nodes)
    unpacked = {name for matrix in matrices.values() for name in matrix.unpacked}
    quantised: set[str] = set()
    found: list[Node] = []
    for one in graph.nodes:
        if one.operator == "MatMul" and one.inputs[1] in matrices:
            found += _product(one, matrices[one.inputs[1]], quantised)
        elif unpacked.isdisjoint(one.outputs):
            found.append(one)
    if not quantised:
        raise ValueError("no product with an int8 matrix")
    return found


def _matrices(nodes: Sequence[Node]) -> dict[str, _Matrix]:
    """By the name of what is unpacked from them; those that nothing but products needs."""
    makers = {output: one for one in nodes for output in one.outputs}
    found: dict[str, _Matrix] = {}
    for one in nodes:
        cast = makers.get(one.inputs[0]) if one.operator == "Mul" else None
        if cast is not None and cast.operator == "Cast" and makers.keys().isdisjoint([*cast.inputs, one.inputs[1]]):
            unpacked = (cast.outputs[0], one.outputs[0])
            found[one.outputs[0]] = _Matrix(cast.inputs[0], one.inputs[1], unpacked)
    for one in nodes:
        wanted = one.inputs[:1] if one.operator == "MatMul" else one.inputs
        for name in wanted:
            found.pop(name, None)
    return found


def _product(one: Node, matrix: _Matrix, quantised: set[str]) -> Iterator[Node]:
    """The nodes that compute it; the other side is quantised once, for all products that it has part in."""
    other, product = one.inputs[0], one.outputs[0]
    if other not in quantised:
        quantised.add(other)
        yield node("DynamicQuantizeLinear", [other], [f"{other}/int8", f"{other}/scale", f"{other}/zero"])
    yield node("MatMulInteger", [f"{other}/int8", matrix.weights, f"{other}/zero"], [f"{product}/whole"])
    yield node("Cast", [f"{product}/whole"], [f"{product}/float"], [_TO_FLOAT32])
    yield node("Mul", [f"{other}/scale", matrix.scales], [f"{product}/scale"])
    yield node("Mul", [f"{product}/float", f"{product}/scale"], [product])
