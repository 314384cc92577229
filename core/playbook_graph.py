"""The graph of a playbook's steps, in Mermaid's words."""

from core.playbook import Playbook, PlaybookStep


def mermaid(playbook: Playbook) -> str:
    """A flow chart: steps with what they collect, transitions with their conditions, steps that come at any time."""
    lines = ["flowchart TD", f"  begin([{_text(playbook.name)}]) --> {_id(0)}"]
    ids = {step.name: _id(index) for index, step in enumerate(playbook.steps)}
    lines += [f"  {ids[step.name]}{_shape(step)}" for step in playbook.steps]
    for step in playbook.steps:
        for way in step.transitions:
            label = f"|{_text(way.when)}|" if way.when is not None else ""
            lines.append(f"  {ids[step.name]} -->{label} {ids[way.to]}")
    if not any(step.transitions for step in playbook.steps):
        others = [step.name for step in playbook.steps]
        lines += [f"  {ids[others[0]]} <-.-> {ids[name]}" for name in others[1:]]
    elif anytime := [ids[step.name] for step in playbook.steps if step.name in playbook.anytime_steps]:
        lines += ["  anytime{{at any time}}", *(f"  anytime -.-> {name}" for name in anytime)]
    return "\n".join(lines) + "\n"


def _id(index: int) -> str:
    return f"s{index}"  # a step may be named "end", which Mermaid does not take


def _shape(step: PlaybookStep) -> str:
    words = [f"<b>{_text(step.name, quoted=False)}</b>"]
    words += [f"{slot.name}: {slot.type}{' (confirmed)' if slot.confirm else ''}" for slot in step.collect]
    words += [f"uses {tool}" for tool in step.tools]
    if step.escalates:
        words.append("hands over to a person")
    if step.ends_call:
        words.append("ends the call")
    text = "<br/>".join(words)
    return f'(["{text}"])' if step.escalates or step.ends_call else f'["{text}"]'


def _text(text: str, *, quoted: bool = True) -> str:
    escaped = text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
    return f'"{escaped}"' if quoted else escaped
