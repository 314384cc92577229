"""Has the fixed lines of all playbooks recorded before a caller needs them."""

import asyncio
from collections.abc import Iterable

import structlog

from activities.playbook_shelf import voice_of
from activities.spoken_lines import SpokenLines, as_spoken, fixed_lines
from core.playbook import Playbook
from core.ports.errors import StorageUnavailable, UnknownPlaybook, VendorError
from core.ports.playbooks import Playbooks
from core.ports.speech import Voice, VoiceSettings
from core.ports.speech_cache import SpeechCache

log = structlog.get_logger()

LOOK_EVERY_S = 15.0  # for playbooks that have changed
TIDY_EVERY = 40  # looks
LONGEST_PAUSE_S = 300.0  # between two tries while a vendor is down
AT_ONCE = 2  # live calls need the vendor too

_Line = tuple[VoiceSettings, str]


class LinePreparer:
    """Goes through the newest version of every playbook. A line is prepared once; then it is the cache's matter."""

    def __init__(self, playbooks: Playbooks, voice: Voice, cache: SpeechCache) -> None:
        self._playbooks = playbooks
        self._lines = SpokenLines(voice, cache)
        self._cache = cache
        self._looks = 0
        self._prepared: set[_Line] = set()

    async def run(self) -> None:
        """Forever: at once, and again whenever a playbook has changed or a line is still missing."""
        pause = LOOK_EVERY_S
        while True:
            done = await self.look()
            pause = LOOK_EVERY_S if done else min(2 * pause, LONGEST_PAUSE_S)
            await asyncio.sleep(pause)

    async def look(self) -> bool:
        """Look at the playbooks once; whether all lines are prepared now."""
        try:
            playbooks, all_read = await self._newest()
        except StorageUnavailable as error:
            log.warning("playbooks_not_looked_at", reason=str(error))
            return False
        wanted = dict.fromkeys(
            (voice_of(playbook, language), line)
            for playbook in playbooks
            for language in playbook.spoken
            for line in fixed_lines(playbook, language)
        )
        self._prepared.intersection_update(wanted)
        if all_read and self._looks % TIDY_EVERY == 0:
            await self._cache.drop_all_but((voice, as_spoken(text)) for voice, text in wanted)
        self._looks += 1
        missing = [line for line in wanted if line not in self._prepared]
        if not missing:
            return True
        await self._record(missing)
        left = sum(line not in self._prepared for line in missing)
        log.info("lines_prepared", lines=len(missing) - left, missing=left)
        return not left

    async def _newest(self) -> tuple[list[Playbook], bool]:
        """The playbooks that can be read, and whether that is all."""
        found: list[Playbook] = []
        names = await self._playbooks.names()
        for name in names:
            try:
                found.append(await self._playbooks.latest(name))
            except UnknownPlaybook as error:
                log.warning("playbook_not_prepared", reason=str(error))
        return found, len(found) == len(names)

    async def _record(self, missing: Iterable[_Line]) -> None:
        """Few at a time. A voice that fails is left alone until the next look, others are not."""
        lines = iter(missing)
        failed: set[VoiceSettings] = set()

        async def work() -> None:
            for voice, text in lines:
                if voice in failed:
                    continue
                try:
                    recording = await self._lines.get(voice, text)
                except VendorError as error:
                    failed.add(voice)
                    log.warning("line_not_prepared", vendor=error.vendor, kind=error.kind)
                else:
                    if recording.stand_in:
                        failed.add(voice)
                    else:
                        self._prepared.add((voice, text))

        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_ONCE):
                tasks.create_task(work())
