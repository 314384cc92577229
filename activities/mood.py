"""Reading how the caller feels, off the hot path."""

from structlog.contextvars import bound_contextvars
from temporalio import activity

from activities.feed import mood_read
from activities.playbook_shelf import PlaybookShelf
from activities.prompts import mood_prompt
from activities.retries import vendor_failures
from core.contracts import names
from core.contracts.call import MoodRead, ReadMood
from core.conversation import Usage
from core.mood import known_mood
from core.ports.call_log import CallFeed
from core.ports.reasoner import Reasoner


class MoodActivities:
    """Asks the model how the caller sounds."""

    def __init__(self, reasoner: Reasoner, shelf: PlaybookShelf, feed: CallFeed) -> None:
        self._reasoner = reasoner
        self._shelf = shelf
        self._feed = feed

    @activity.defn(name=names.READ_MOOD)
    async def read_mood(self, request: ReadMood) -> MoodRead:
        """One short structured call: the question for the step, with no step to choose."""
        with bound_contextvars(call_id=request.call_id, turn=request.turn), vendor_failures():
            playbook = (await self._shelf.get(request.playbook)).playbook
            found = await self._reasoner.find_step(mood_prompt(playbook, request))
        mood = known_mood(found.mood)
        if mood:
            self._feed.note(mood_read(request.call_id, request.turn, mood))
        return MoodRead(mood, found.usage or Usage())
