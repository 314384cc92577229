"""Has a BERT's attention and its GELU computed by one operator each, where the file spells them out in forty.

PyTorch writes down what attention is: reshaped, transposed, masked, looked at for NaN. onnxruntime knows both as
operators of its own, but not in that spelling. Attention so made looks at every token: one text at a time, unpadded.
"""

from collections.abc import Iterable, Mapping, Sequence

from vendors.onnx_graph import Graph, Node, node, rewritten, whole_number

_DOMAIN = "com.microsoft"
_QUERY = ("Mul", "Transpose", "Reshape")  # from the product of both back to what they are made of
_KEY = ("Mul", "Reshape", "Transpose", "Reshape", "Transpose", "Reshape")
_VALUE = ("Transpose", "Reshape")


def with_fused_attention(model: bytes, heads: int) -> bytes:
    """The same model with one node for each layer's attention, and one for each GELU.

    Args:
        heads: of its attention, which scales by the root of their width.

    Raises:
        ValueError: it is no model, or attention stands in it in another spelling.
    """
    return rewritten(model, lambda graph: _Fusion(graph, heads).nodes(), _DOMAIN)


class _Fusion:
    def __init__(self, graph: Graph, heads: int) -> None:
        self._graph = graph
        self._heads = whole_number("num_heads", heads)
        self._makers = {output: one for one in graph.nodes for output in one.outputs}
        self._users: dict[str, list[Node]] = {}
        for one in graph.nodes:
            for name in one.inputs:
                self._users.setdefault(name, []).append(one)

    def nodes(self) -> list[Node]:
        """All that are still needed."""
        fused = {one.outputs[0]: one for one in self._fused()}
        if not any(one.operator == "MultiHeadAttention" for one in fused.values()):
            raise ValueError("no attention")
        nodes = [fused.get(one.outputs[0], one) for one in self._graph.nodes]
        return _needed(nodes, self._graph.results)

    def _fused(self) -> Iterable[Node]:
        for one in self._graph.nodes:
            if one.operator == "Softmax":
                yield self._attention(one)
            elif one.operator == "Erf":
                made = self._down(one.outputs[0], "Add", "Mul", "Mul")
                yield node("Gelu", [self._up(one.inputs[0], "Div")], [made], domain=_DOMAIN)

    def _attention(self, softmax: Node) -> Node:
        chances = self._down(softmax.outputs[0], "IsNaN", "Where")
        weighed = self._user(chances, "MatMul")
        compared = self._maker(self._up(softmax.inputs[0], "Add"), "MatMul")
        query, key = self._up(compared.inputs[0], *_QUERY), self._up(compared.inputs[1], *_KEY)
        value = self._up(weighed.inputs[1], *_VALUE)
        made = self._down(weighed.outputs[0], "Transpose", "Reshape")
        return node("MultiHeadAttention", [query, key, value], [made], [self._heads], _DOMAIN)

    def _up(self, name: str, *operators: str) -> str:
        """What this is made from, through these operators' first inputs."""
        for operator in operators:
            name = self._maker(name, operator).inputs[0]
        return name

    def _down(self, name: str, *operators: str) -> str:
        """What is made from this, through these operators."""
        for operator in operators:
            name = self._user(name, operator).outputs[0]
        return name

    def _maker(self, name: str, operator: str) -> Node:
        maker = self._makers.get(name)
        if maker is None or maker.operator != operator:
            raise ValueError(f"attention is spelt otherwise: {name} is not made by {operator}")
        return maker

    def _user(self, name: str, operator: str) -> Node:
        for one in self._users.get(name, ()):
            if one.operator == operator:
                return one
        raise ValueError(f"attention is spelt otherwise: no {operator} takes {name}")


def _needed(nodes: Sequence[Node], results: Sequence[str]) -> list[Node]:
    makers: Mapping[str, Node] = {output: one for one in nodes for output in one.outputs}
    needed, wanted = set[str](), list(results)
    while wanted:
        maker = makers.get(wanted.pop())
        if maker is not None and maker.outputs[0] not in needed:
            needed.add(maker.outputs[0])
            wanted += maker.inputs
    return [one for one in nodes if one.outputs[0] in needed]
