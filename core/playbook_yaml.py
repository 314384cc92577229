"""How much a YAML text says once its aliases are written out: a short one can say more than fits anywhere."""

import yaml


def written_out(root: yaml.Node | None, most: int) -> int:
    """How many values the text holds, those behind aliases counted each time; above ``most`` no further."""
    sizes: dict[int, int] = {}  # by node; of those under way: too many, for an alias to what holds it never ends
    waiting: list[tuple[yaml.Node, bool]] = [] if root is None else [(root, False)]
    while waiting:
        node, entered = waiting.pop()
        if entered:
            sizes[id(node)] = min(most + 1, 1 + sum(sizes[id(part)] for part in _parts(node)))
        elif id(node) not in sizes:
            sizes[id(node)] = most + 1
            waiting.append((node, True))
            waiting += [(part, False) for part in _parts(node)]
    return sizes[id(root)] if root is not None else 0


def _parts(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []
