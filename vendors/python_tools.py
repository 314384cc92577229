"""Tools that installed Python packages offer as entry points of the group "holdfast.tools"."""

from importlib.metadata import EntryPoint, entry_points

from core.ports.tools import GROUP, PythonTool


class BadTool(Exception):
    """An entry point that cannot be used; the message says which and why."""


def offered_names() -> tuple[str, ...]:
    """All that are installed. Loads none of them."""
    return tuple(sorted({found.name for found in entry_points(group=GROUP)}))


def load_offered(name: str) -> PythonTool:
    """The tool behind an entry point. Raises BadTool: there is none, or it is no PythonTool."""
    points = list(entry_points(group=GROUP, name=name))
    if not points:
        raise BadTool(f"no installed package offers the tool {name!r}")
    if len({point.value for point in points}) > 1:
        raise BadTool(f"two installed packages offer a tool {name!r}: {', '.join(point.value for point in points)}")
    return _load(points[0])


def _load(point: EntryPoint) -> PythonTool:
    try:
        tool = point.load()
    except (ImportError, AttributeError) as error:
        raise BadTool(f"the tool {point.name!r} cannot be loaded from {point.value}: {error}") from error
    if not isinstance(tool, PythonTool):
        raise BadTool(f"{point.value} is a {type(tool).__name__}, not a core.ports.tools.PythonTool")
    return tool
