"""REST: what follows calls, step by step; dead letters."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.after_schemas import AfterCall, DeadLetter, DeadLetters, WhichLetters
from api.calls import CallId, known_call
from api.deps import ApiDeps
from api.openapi import problems
from api.problems import Refusal
from api.temporal import CallNotRunning, TemporalUnavailable
from core.contracts.after_call import AfterState
from core.ports.after_call import Letter

StepName = Annotated[str, Path(pattern=r"^[a-z0-9_.:-]{1,200}$", description="The step's name", examples=["crm"])]
LetterId = Annotated[
    str, Path(pattern=r"^dl_[0-9a-f]{24}$", description="The letter's id", examples=["dl_3f9ab51e07d2c4a6b8e01234"])
]


def router(deps: ApiDeps) -> APIRouter:
    """/v1/calls/{call_id}/after and /v1/dead-letters."""
    routes = APIRouter(prefix="/v1")
    after = FollowingUp(deps)

    @routes.get("/calls/{call_id}/after", tags=["calls"], summary="See what follows a call", responses=problems(404))
    async def get_after_call(call_id: CallId) -> AfterCall:
        """Each step with its status, attempts and last failure; and the playbook's fields once they are known."""
        return AfterCall.of(*await after.look(call_id))

    @routes.post(
        "/calls/{call_id}/after/{step}/retry",
        status_code=204,
        tags=["calls"],
        summary="Try a failed step again now",
        responses=problems(404, 409),
    )
    async def retry_step(call_id: CallId, step: StepName) -> None:
        """A step that waits for its next attempt makes it now; one that was given up is sent again."""
        await after.retry(call_id, step)

    @routes.get("/dead-letters", tags=["dead letters"], summary="List dead letters")
    async def list_dead_letters(which: Annotated[WhichLetters, Query()]) -> DeadLetters:
        """Steps that were refused for good, or failed for days; newest first."""
        letters = await after.letters(which.dead, which.limit)
        return DeadLetters(dead_letters=[DeadLetter.of(letter) for letter in letters])

    @routes.post(
        "/dead-letters/{letter_id}/resend",
        status_code=202,
        tags=["dead letters"],
        summary="Send a dead letter again",
        responses=problems(404, 409),
    )
    async def resend_dead_letter(letter_id: LetterId) -> DeadLetter:
        """Its step is done once more; what fails again comes back to this list, with what it failed with."""
        return DeadLetter.of(await after.resend(letter_id))

    @routes.delete(
        "/dead-letters/{letter_id}",
        status_code=204,
        tags=["dead letters"],
        summary="Put a dead letter away",
        responses=problems(404, 409),
    )
    async def dismiss_dead_letter(letter_id: LetterId) -> None:
        """Nobody will send it."""
        await after.dismiss(letter_id)

    return routes


class FollowingUp:
    """Looks at what follows calls, and has it done."""

    def __init__(self, deps: ApiDeps) -> None:
        self._deps = deps

    async def look(self, call_id: str) -> tuple[AfterState, Sequence[Letter]]:
        """From the workflow itself; from SQL where that is gone, or its worker does not answer. Raises Refusal."""
        store = self._deps.after_calls
        try:
            state: AfterState | None = await self._deps.temporal.after_state(call_id)
        except (CallNotRunning, TemporalUnavailable):
            state = await store.state(call_id)
        if state is None:
            if await self._deps.reader.call(call_id) is None:
                await known_call(self._deps, call_id)
            state = AfterState(call_id)
        return state, await store.letters(call_id=call_id)

    async def retry(self, call_id: str, step: str) -> None:
        """Have a step done now. Raises Refusal, CallRefused, TemporalUnavailable."""
        waiting = [
            letter
            for letter in await self._deps.after_calls.letters(call_id=call_id)
            if letter.letter.errand.step == step and letter.status == "dead"
        ]
        if waiting:
            await self.resend(waiting[0].letter_id)
            return
        try:
            await self._deps.temporal.retry_step(call_id, step)
        except CallNotRunning as error:
            await self.look(call_id)
            raise Refusal(409, "nothing-to-retry", "Nothing that follows this call waits for another try.") from error

    async def letters(self, dead: bool, limit: int) -> Sequence[Letter]:
        """Newest first."""
        return await self._deps.after_calls.letters(dead=dead, limit=limit)

    async def resend(self, letter_id: str) -> Letter:
        """Start it; the letter as it stands now. Raises Refusal."""
        letter = await self._letter(letter_id)
        if letter.status not in ("dead", "resending"):
            raise Refusal(409, "letter-settled", f"This letter is {letter.status} already.")
        await self._deps.temporal.resend(letter_id)
        return await self._letter(letter_id)

    async def dismiss(self, letter_id: str) -> None:
        """Put it away. Raises Refusal."""
        letter = await self._letter(letter_id)
        if letter.status != "dead":
            raise Refusal(409, "letter-settled", f"This letter is {letter.status} already.")
        await self._deps.after_calls.mark_letter(letter_id, "dismissed")

    async def _letter(self, letter_id: str) -> Letter:
        letter = await self._deps.after_calls.letter(letter_id)
        if letter is None:
            raise Refusal(404, "unknown-letter", "No dead letter has this id.")
        return letter
