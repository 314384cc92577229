"""A short text that says more than fits anywhere is refused at once."""

import pytest
import yaml

from core.playbook import PlaybookFaults, parse_playbook
from core.playbook_yaml import written_out


def laughs(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join(10 * [f'*a{n - 1}'])}]" for n in range(1, levels)]
    return "\n".join(lines)


def test_aliases_within_aliases_are_refused() -> None:
    with pytest.raises(PlaybookFaults, match="aliases written out"):
        parse_playbook(laughs(12))


def test_alias_to_what_holds_it_is_refused() -> None:
    with pytest.raises(PlaybookFaults, match="aliases written out"):
        parse_playbook("steps: &steps [*steps]")


def test_values_are_counted_with_those_behind_aliases() -> None:
    root = yaml.compose("{a: &one [x, y], b: *one}", Loader=yaml.SafeLoader)
    assert written_out(root, 100) == 9
    assert written_out(root, 5) == 6
    assert written_out(None, 5) == 0
