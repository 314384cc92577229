"""How many random orders of events a simulation tries."""

from hypothesis import settings


def orders_in(*, short: int, steps: int) -> settings:
    """``short`` ones of so many steps in `make test`; in `make simulate`, whose profile asks for more, that many."""
    return settings(max_examples=max(short, settings().max_examples), stateful_step_count=steps, deadline=None)
