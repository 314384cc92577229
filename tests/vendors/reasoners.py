"""What every reasoner must do, whichever vendor's it is."""

from dataclasses import replace

from core.ports.reasoner import FindStep, Message, Reasoner


async def expect_no_step_where_that_may_be(reasoner: Reasoner, asked: FindStep) -> None:
    """A turn off topic belongs to one of the steps, unless the request allows for none."""
    off_topic = replace(asked, prompt=replace(asked.prompt, messages=(Message("user", "Tell me a joke."),)))
    assert (await reasoner.find_step(off_topic)).name in asked.steps
    step = await reasoner.find_step(replace(off_topic, or_none=True))
    assert (step.name, step.method) == (None, "off_topic")
    assert step.confidence > 0.7
