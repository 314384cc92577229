"""holdfast playbook show and schema: what people and editors see of playbooks."""

import json
import sys
from pathlib import Path

from cli.playbook_check import read_playbook
from core.playbook import Playbook, PlaybookFaults
from core.playbook_graph import mermaid


def show(file: Path) -> None:
    """Print the graph of a playbook's steps, for a Markdown page or mermaid.live; exit code 1 if it has faults."""
    try:
        print(mermaid(read_playbook(file)), end="")
    except PlaybookFaults as error:
        print(error, file=sys.stderr)
        sys.exit(1)


def schema() -> None:
    """Print the JSON Schema of playbooks."""
    shape = Playbook.model_json_schema()
    shape["properties"].pop("digest")  # ours, not the writer's
    shape = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Holdfast playbook"} | shape
    print(json.dumps(shape | {"title": "Holdfast playbook"}, indent=2))
