"""How long tests wait for a language model that answers, and for one that does not."""

from dataclasses import replace
from typing import Final

from vendors.model_answers import Deadlines

LONG: Final = 20.0  # seconds that no vendor needs, also on a machine that stands still for a moment
PATIENT: Final = Deadlines(connect=LONG, first_token=LONG, next_token=LONG, step=LONG, check=LONG)
IMPATIENT: Final = replace(PATIENT, first_token=1.0, next_token=1.0, step=0.5, summary=0.5)
