"""The call goes over to another language: heard, asked for, or chosen by a key."""

from dataclasses import replace

from core.contracts.call import CallerTurn
from core.languages import Leaning, asked_for, lean
from core.live_call import LiveCall


def heed_languages(live: LiveCall, turns: list[CallerTurn]) -> None:
    """Let each turn tell its language; what follows is prompt, voice, recogniser and fixed lines."""
    known = live.call.playbook.languages
    if len(known) < 2:
        return
    for turn in turns:
        if turn.keyed is not None:
            wanted = turn.keyed.language
        elif not (wanted := asked_for(turn.text, known)):
            live.leaning, wanted = lean(live.leaning, turn.languages, turn.words, live.language, known)
        if wanted and wanted != live.language:
            live.leaning, live.manner = Leaning(), replace(live.manner, language=wanted)
