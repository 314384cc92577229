"""holdfast takeover: have a supervisor's phone called, which then takes a live call from the assistant."""

from cli.process import Complaint, complaints
from cli.progress import out
from cli.rest import Rest, part, with_api


def run(call: str, to: str, by: str, *, cold: bool, hands_back: bool, url: str | None) -> None:
    """Ask for it and say what happens now; exits with 2 and one line when the call will not have it."""
    with complaints():
        if cold and hands_back:
            raise Complaint("--hand-back: a caller who is connected without a word (--cold) does not come back")
    body: dict[str, str | bool] = {"to": to, "by": by, "warm": not cold, "hands_back": hands_back}

    async def work(api: Rest) -> None:
        await take_over(api, call, body)
        out.print(
            f"The caller is connected to {to}." if cold else f"{to} rings; answer it and press 1 to take the call."
        )

    with_api(work, url)


async def take_over(api: Rest, call: str, body: dict[str, str | bool]) -> None:
    """Raises Complaint with the call's own words."""
    await api.ask("POST", f"/v1/calls/{part(call)}/take-over", json=body)
