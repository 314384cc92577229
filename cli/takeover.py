"""holdfast takeover: have a supervisor's phone called, which then takes a live call from the assistant."""

import asyncio

import httpx

from cli.call import PATIENCE, problem_of
from cli.process import Complaint, complaints
from cli.progress import out
from cli.settings import Settings, reveal, variable_of


def run(call: str, to: str, by: str, *, cold: bool, hands_back: bool, url: str | None) -> None:
    """Ask for it and say what happens now; exits with 2 and one line when the call will not have it."""
    with complaints():
        if cold and hands_back:
            raise Complaint("--hand-back: a caller who is connected without a word (--cold) does not come back")
        settings = Settings.read()
        settings.require("api_key")
        body: dict[str, str | bool] = {"to": to, "by": by, "warm": not cold, "hands_back": hands_back}
        asyncio.run(take_over(url or settings.public_url, reveal(settings.api_key), call, body))
        out.print(
            f"The caller is connected to {to}." if cold else f"{to} rings; answer it and press 1 to take the call."
        )


async def take_over(url: str, key: str, call: str, body: dict[str, str | bool]) -> None:
    """Raises Complaint with the call's own words, or if the API cannot be reached."""
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=url.rstrip("/"), headers=headers, timeout=PATIENCE) as http:
        try:
            answer = await http.post(f"/v1/calls/{call}/take-over", json=body)
        except httpx.HTTPError as error:
            raise Complaint(f"{url} cannot be reached ({error or type(error).__name__}): is it up?") from error
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        raise Complaint(f"{variable_of('api_key')} is not the key of {url}")
    if not answer.is_success:
        raise Complaint(problem_of(answer))
