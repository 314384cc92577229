"""One short call for each way a call can end, to record and replay."""

from collections.abc import Awaitable, Callable

from core.contracts import names
from core.contracts.call import DialEnded, Direction, End, Machine, TakeOver
from core.conversation import ToolCall
from core.may_call import DncScope
from core.outcome import CarrierState, Disposition
from core.ports.campaign import DncEntry
from core.ports.reasoner import TextPiece
from tests.world.colleague import called, staffed
from tests.world.fakes import broken
from tests.world.playbook import confirming_orders, orders
from tests.world.world import CallWorld, ScriptedCall

Ending = Callable[[CallWorld], Awaitable[ScriptedCall]]


async def completed(world: CallWorld) -> ScriptedCall:
    """With a tool call, an interruption and an unsure step on the way."""
    call = await world.answered_call()
    find = ToolCall("t1", "find_order", {"order_number": "482"})
    world.reasoner.will_say([TextPiece("Let me look. "), find], "It is on its way.", "It left on Monday.")
    await call.asks("Where is my order?")
    await call.next_reply()
    call.reports = False
    await call.caller_says("Really now?")
    await call.report(await call.next_reply(), heard="It left")
    call.reports = True
    await call.asks("No, nothing else, goodbye.")
    return call


async def caller_hung_up(world: CallWorld) -> ScriptedCall:
    """After a low-confidence turn."""
    call = await world.answered_call()
    await call.caller_says("Wear is my odour?", confidence=0.2)
    await call.hears()
    await call.hangs_up()
    return call


async def transferred(world: CallWorld) -> ScriptedCall:
    """Because the caller asks for a person."""
    call = await world.answered_call()
    await call.asks("Can I talk to a human?")
    await call.redirected()
    await call.carrier_asks()
    return call


async def taken_over(world: CallWorld) -> ScriptedCall:
    """By a supervisor."""
    call = await world.answered_call()
    await call.handle.execute_update(names.TAKE_OVER, TakeOver("+12025550177", "Kim"))
    await call.redirected()
    await call.carrier_asks()
    return call


async def ended_by_operator(world: CallWorld) -> ScriptedCall:
    """With a closing line."""
    call = await world.answered_call()
    await call.handle.execute_update(names.END, End("test", "I have to go."))
    await call.hears()
    return call


async def caller_silent(world: CallWorld) -> ScriptedCall:
    """After all prompts."""
    call = await world.answered_call()
    for _ in range(3):
        await call.is_silent()
        await call.hears()
    return call


async def vendor_failure(world: CallWorld) -> ScriptedCall:
    """After three attempts, nobody to hand over to."""
    call = await world.answered_call(orders(transfer_to=None))
    world.reasoner.faults.always = broken()
    await call.asks("Where is my order?")
    return call


async def connection_lost(world: CallWorld) -> ScriptedCall:
    """After one stream was lost and replaced, and a reply lost and continued."""
    call = await world.answered_call()
    call.reports = False
    await call.caller_says("Where is my order?")
    first = await call.next_reply()
    await call.lose_stream()
    await call.redirected()
    await call.attach()
    call.reports = True
    await call.hears()
    assert (await call.next_reply()).key.turn == first.key.turn
    await call.lose_stream()
    return call


async def voicemail(world: CallWorld) -> ScriptedCall:
    """A machine is left a message; before that the caller, if one there was, asked not to be called again."""
    call = await world.call(Direction.OUTBOUND, machine=Machine.DETECT, voicemail_line="Please call us back.")
    await world.telephony.dialling.wait()
    await call.carrier(CarrierState.IN_PROGRESS, 2)
    await call.attach()
    await call.hears()
    await call.asks("Do not call me again.")
    await call.carrier(CarrierState.IN_PROGRESS, 3, answered_by="machine_end_beep")
    await call.hears()
    return call


async def not_allowed(world: CallWorld) -> ScriptedCall:
    """Nobody is dialled."""
    world.dial_gate.forbidden.append(DncEntry("+12025550123", DncScope.GLOBAL))
    return await world.call(Direction.OUTBOUND)


async def no_answer(world: CallWorld) -> ScriptedCall:
    """Rings for too long, after an unclear dial."""
    world.telephony.dial_faults.always = broken("timeout")
    call = await world.call(Direction.OUTBOUND)
    await world.telephony.dialling.wait()
    await call.carrier(CarrierState.RINGING)
    return call


async def _not_reached(world: CallWorld, state: CarrierState) -> ScriptedCall:
    call = await world.call(Direction.OUTBOUND)
    await world.telephony.dialling.wait()
    await call.carrier(state)
    return call


async def confirmed_tool(world: CallWorld) -> ScriptedCall:
    """A tool is read back, confirmed, and undone as the caller asks; a read is told again."""
    call = await world.answered_call(confirming_orders())
    find = ToolCall("t1", "find_order", {"order_number": "482"})
    change = ToolCall("t2", "change_address", {"street": "12 Oak Lane"})
    world.reasoner.will_say([find], "It is on its way.", [find, change], "Done.", "It is as it was.")
    for words, answers in (("Where is my order?", 2), ("Where is my order now?", 2), ("Yes.", 1), ("Undo that.", 1)):
        await call.caller_says(words)
        for _ in range(answers):
            await call.hears()
    await call.asks("No, nothing else, goodbye.")
    return call


async def warm_transfer(world: CallWorld) -> ScriptedCall:
    """The first representative declines, the second one talks with the caller and leaves; then the caller goes."""
    call = await world.answered_call(staffed())
    await call.asks("Can I talk to a human?")
    await call.hears()
    declines = await called(call)
    await declines.asks()
    await declines.asks("2")
    takes = await called(call)
    await takes.asks()
    await takes.asks("1")
    await call.redirected()
    await takes.is_told_of("completed")
    await call.handle.signal(names.DIAL_ENDED, DialEnded("completed", reached=True))
    await call.carrier_asks()
    await call.attach()
    await call.hears()
    await call.hears()
    await call.hangs_up()
    return call


ENDINGS: dict[Disposition, Ending] = {
    Disposition.COMPLETED: completed,
    Disposition.CALLER_HUNG_UP: caller_hung_up,
    Disposition.TRANSFERRED: transferred,
    Disposition.TAKEN_OVER: taken_over,
    Disposition.ENDED_BY_OPERATOR: ended_by_operator,
    Disposition.CALLER_SILENT: caller_silent,
    Disposition.VENDOR_FAILURE: vendor_failure,
    Disposition.CONNECTION_LOST: connection_lost,
    Disposition.NO_ANSWER: no_answer,
    Disposition.BUSY: lambda world: _not_reached(world, CarrierState.BUSY),
    Disposition.FAILED: lambda world: _not_reached(world, CarrierState.FAILED),
    Disposition.CANCELED: lambda world: _not_reached(world, CarrierState.CANCELED),
    Disposition.VOICEMAIL: voicemail,
    Disposition.NOT_ALLOWED: not_allowed,
}

STORIES: dict[str, Ending] = {"confirmed_tool": confirmed_tool, "warm_transfer": warm_transfer}
"""Further calls that end as others do, but have something of their own on the way."""
