"""Lines of all playbooks, recorded before a caller needs them."""

from activities.playbook_shelf import voice_of
from activities.preparing import TIDY_EVERY, LinePreparer
from activities.spoken_lines import fixed_lines
from core.playbook import Playbook, parse_playbook
from core.ports.errors import StorageUnavailable
from storage.speech_cache import UNUSED_S, KeptSpeech
from tests.world.fakes import FakePlaybooks, FakeVoice, broken
from tests.world.playbook import ORDERS, orders


class Studio:
    """A preparer and what stands around it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.playbook = orders()
        self.playbooks = NewestOnly(self.playbook)
        self.voice = FakeVoice()
        self.cache = KeptSpeech("fake", 1_000_000, clock=lambda: self.now)
        self.preparer = LinePreparer(self.playbooks, self.voice, self.cache)

    def at_hand(self, playbook: Playbook) -> list[bool]:
        """Which of its lines are."""
        return [
            self.cache.at_hand(voice_of(playbook, "en"), line) is not None
            for line in fixed_lines(playbook, playbook.language)
        ]


class NewestOnly(FakePlaybooks):
    """A newer version takes an older one's place."""

    def publish(self, playbook: Playbook) -> Playbook:
        for ref in [ref for ref, known in self.by_ref.items() if known.name == playbook.name]:
            del self.by_ref[ref]
        return self.put(playbook)


async def test_every_fixed_line_is_there_before_the_first_call() -> None:
    studio = Studio()
    assert await studio.preparer.look()
    assert all(studio.at_hand(studio.playbook))
    assert "How can I help?" in " ".join(fixed_lines(studio.playbook, "en"))
    opened = studio.voice.opened
    assert await studio.preparer.look()
    assert studio.voice.opened == opened


async def test_lines_of_a_changed_playbook_are_recorded_and_the_old_voices_go_once_unused() -> None:
    studio = Studio()
    await studio.preparer.look()
    changed = studio.playbooks.publish(parse_playbook(ORDERS + "voice: {id: bob}\n"))
    await studio.preparer.look()
    assert all(studio.at_hand(changed))
    assert all(studio.at_hand(studio.playbook)), "live calls are still on it"
    studio.now += UNUSED_S + 1
    for _ in range(TIDY_EVERY):
        await studio.preparer.look()
    assert not any(studio.at_hand(studio.playbook))


async def test_vendor_that_is_down_is_tried_again_later() -> None:
    studio = Studio()
    studio.voice.faults.coming.append(broken())
    assert not await studio.preparer.look()
    assert not all(studio.at_hand(studio.playbook))
    assert await studio.preparer.look()
    assert all(studio.at_hand(studio.playbook))


async def test_one_voice_that_is_refused_holds_up_no_other() -> None:
    studio = Studio()
    other = studio.playbooks.put(parse_playbook(ORDERS.replace("name: orders", "name: aside", 1)))
    refused = studio.playbooks.put(parse_playbook(ORDERS.replace("name: orders", "name: about\nvoice: {id: gone}", 1)))
    studio.voice.refused.add("gone")
    assert not await studio.preparer.look()
    assert all(studio.at_hand(other))
    assert not any(studio.at_hand(refused))


async def test_database_that_is_away_is_asked_again_later() -> None:
    class Away(NewestOnly):
        async def names(self) -> list[str]:
            raise StorageUnavailable("away")

    studio = Studio()
    assert not await LinePreparer(Away(studio.playbook), studio.voice, studio.cache).look()
    assert studio.voice.opened == 0
