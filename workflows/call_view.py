"""A call as people see it: the query ``state``, the page in the Temporal UI, the search attributes, and its record."""

from typing import Final

from temporalio.common import SearchAttributeKey

from core.call_back import wished_callback
from core.contracts import names
from core.contracts.call import CallRecord, CallState, Direction, Phase
from core.live_call import LiveCall
from core.outcome import Disposition

_KEYS: Final = {name: SearchAttributeKey.for_keyword(name) for name in names.SEARCH_ATTRIBUTES}


def call_state(live: LiveCall) -> CallState:
    """What the assistant believes, what is confirmed, what was done and what comes next.

    What a tool call carried is believed, as the caller was understood; once the tool has accepted it, it is confirmed.
    Slots that are confirmed aloud are so by the caller's yes only.
    """
    believes: dict[str, str] = dict(live.call.variables)
    confirmed: dict[str, str] = {}
    done: list[str] = []
    for turn in live.conversation.turns:
        for result in turn.tools:
            arguments = {name: str(value) for name, value in result.call.arguments.items()}
            (confirmed if result.ok else believes).update(arguments)
            if result.ok:
                done.append(f"turn {turn.number}: {result.call.name}")
    for name, known in live.memory.slots.items():
        believes.pop(name, None)
        confirmed.pop(name, None)
        (confirmed if known.confirmed else believes)[name] = known.value
    believes |= {fact.replace("_", " "): "said" for fact in live.memory.facts}
    now = live.conversation.settled
    return CallState(
        call_id=live.call.call_id,
        phase=live.phase,
        playbook=live.call.playbook.ref,
        step=now.step,
        believes={name: value for name, value in believes.items() if name not in confirmed},
        confirmed=confirmed,
        done=tuple(done),
        next=whats_next(live),
        last_caller=_last(live, "caller"),
        last_assistant=_last(live, "assistant"),
        turns=now.number,
        disposition=live.ending.disposition if live.ending else None,
        mood=live.mood,
        consent=live.consents[-1].given if live.consents else None,
        language=live.language,
        missing=tuple(live.missing),
        sources={name: known.source.value for name, known in live.memory.slots.items()},
        summary=live.memory.summary,
        earlier=live.memory.earlier,
        taken_over_by=live.supervisor.name if live.supervisor is not None else "",
        wants=live.memory.agenda.open,
        choices=live.memory.agenda.choices,
        told_from=tuple(dict.fromkeys(place for turn in live.conversation.turns[-3:] for place in turn.told_from)),
    )


def whats_next(live: LiveCall, *, discreet: bool = False) -> str:
    """One line: what the call waits for or does; ``discreet``: without numbers, names and what callers have told."""
    if live.phase is Phase.ENDED:
        return "nothing: the call has ended"
    if live.ending is not None:
        return f"end the call: {live.ending.disposition.value.replace('_', ' ')}"
    if live.hand_over is not None:
        return f"connect the caller to {'somebody' if discreet else live.hand_over.number}"
    if live.supervisor is not None:
        return f"nothing: {'a supervisor' if discreet else live.supervisor.name} talks with the caller"
    if live.transfer is not None:
        return "see to the transfer" if discreet else live.transfer.next_words
    if live.phase in (Phase.DIALLING, Phase.RINGING):
        return "wait for an answer"
    if live.gateway is None:
        return "wait for the media stream"
    if live.inbox.turns or live.conversation.now.outstanding:
        return f"answer turn {live.inbox.last_turn(live.conversation.settled.number)}"
    if live.tools.pending is not None:
        return f"wait for the caller's yes to {live.tools.pending.call.name}"
    if choices := live.memory.agenda.choices:
        return f"have the caller choose: {' or '.join(choices)}"
    if unconfirmed := live.unconfirmed:
        values = (name if discreet else f"{name} {live.memory.slots[name].value}" for name in unconfirmed)
        return f"have the caller confirm {', '.join(values)}"
    if live.missing:
        return f"find out {', '.join(live.missing)}"
    return "wait for the caller"


def call_details(live: LiveCall) -> str:
    """The call in markdown, for the Temporal UI, which wants an empty line before a paragraph and before a list.

    Of a discreet call nothing personal.
    """
    now = live.conversation.now
    call = live.call
    arrow = "→" if call.direction is Direction.INBOUND else "←"
    who = "call" if call.discreet else f"{call.caller_number} {arrow} {call.our_number}"
    lines = [
        f"### {who} ({call.direction.value})",
        "",
        f"**{live.phase.value}**, playbook `{call.playbook.ref}`, step `{now.step}`, turn {now.number}",
        "",
        f"Next: {whats_next(live, discreet=call.discreet)}",
        "",
    ]
    if live.ending is not None:
        lines.append(f"- Outcome: **{live.ending.disposition.value}**")
    if not call.discreet:
        lines += _said(live)
    if now.told_from:
        lines.append(f"- From: {'; '.join(now.told_from)}")
    if live.mood:
        lines.append(f"- Mood: {live.mood}")
    for name, known in live.memory.slots.items():
        value = "known" if call.discreet else known.value
        lines.append(f"- {name}: {value}{' ✓' if known.confirmed else ''}")
    lines += [f"- has said: {fact.replace('_', ' ')}" for fact in live.memory.facts if not call.discreet]
    if wants := live.memory.agenda.open:
        lines.append(f"- Wants after that: {', '.join(wants)}")
    for result in now.tools:
        lines.append(f"- {result.call.name}: {'done' if result.ok else 'failed'}")
    lines += ["", "&nbsp;"]  # the UI's frame is one line too short
    return "\n".join(lines)


def _said(live: LiveCall) -> list[str]:
    lines = []
    if caller := _last(live, "caller"):
        lines.append(f"- Caller: “{caller}”")
    if live.supervisor is not None and (words := live.conversation.now.supervisor):
        lines.append(f"- {live.supervisor.name}: “{words}”")
    if said := _last(live, "assistant"):
        lines.append(f"- Assistant: “{said}”")
    return lines


def attributes(live: LiveCall) -> dict[SearchAttributeKey[str], str]:
    """What calls are searched by; no personal data."""
    found = {
        names.TENANT_ATTRIBUTE: live.call.tenant,
        names.CAMPAIGN_ATTRIBUTE: live.call.campaign or "",
        names.PLAYBOOK_ATTRIBUTE: live.call.playbook.ref,
        names.STEP_ATTRIBUTE: live.conversation.settled.step,
        names.PHASE_ATTRIBUTE: live.phase.value,
        names.OUTCOME_ATTRIBUTE: live.ending.disposition.value if live.ending and live.phase is Phase.ENDED else "",
        names.ESCALATED_ATTRIBUTE: "true" if live.escalated else "false",
    }
    return {_KEYS[name]: value for name, value in found.items() if value}


def _last(live: LiveCall, what: str) -> str:
    for turn in reversed(live.conversation.turns):
        exchange = turn.exchange()
        if text := (exchange.caller if what == "caller" else exchange.assistant):
            return text
    return ""


def record_of(live: LiveCall, disposition: Disposition) -> CallRecord:
    """What is left of a call that has ended."""
    return CallRecord(
        call=live.call,
        disposition=disposition,
        phase=live.phase,
        started_ms=live.started_ms,
        answered_ms=live.answered_ms,
        ended_ms=live.ended_ms,
        carrier_call_id=live.carrier_call_id,
        turns=tuple(live.conversation.records()),
        consents=tuple(live.consents),
        withdrawn=tuple(live.conversation.withdrawn),
        heard_again=tuple(live.conversation.heard_again),
        beside=tuple(live.conversation.beside),
        transfers=tuple(live.transfers),
        carrier_error=live.carrier_error,
        no_more_calls=live.no_more_calls,
        callback=wished_callback(live.call.playbook.callback, live.memory, live.call.playbook.confirms),
        in_place=True,
    )
