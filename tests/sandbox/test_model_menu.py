"""The menus of phone systems, as the rule-based model understands them."""

import pytest

from sandbox.model_menu import choice

APPOINTMENTS = "For appointments press one. For billing, please press two."


@pytest.mark.parametrize(
    ("text", "goal", "key"),
    [
        (
            "For appointments press one. For billing, please press two.",
            "Reach the front desk about an appointment.",
            "1",
        ),
        (APPOINTMENTS, "Talk about the bill, in billing.", "2"),
        ("Press 3 for sales, press 4 for parts.", "Get to parts.", "4"),
        ("For anything else, dial zero.", "Get to parts.", "0"),
        ("Press pound to go on.", "Get to parts.", ""),
        ("Parts department, good morning.", "Get to parts.", ""),
    ],
)
def test_the_key_whose_option_fits_the_goal_is_chosen(text: str, goal: str, key: str) -> None:
    assert choice(text, goal) == key
