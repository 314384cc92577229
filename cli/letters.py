"""The commands of holdfast letters: what follows calls, could not be done and waits for somebody."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import ApiUrl

if TYPE_CHECKING:
    from cli.rest import Rest

LetterIds = Annotated[list[str], typer.Argument(help="Ids that `letters list` prints.")]

letters = typer.Typer(
    no_args_is_help=True,
    help="Dead letters: CRM notes, messages and webhooks that were refused, or failed for days (HOLDFAST_API_KEY).",
)


@letters.command("list")
def listed(
    settled: Annotated[bool, typer.Option("--settled", help="Those that were sent or put away since.")] = False,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=500)] = 100,
    url: ApiUrl = None,
) -> None:
    """List them, the newest first."""
    from cli.rest import with_api

    async def work(api: "Rest") -> None:
        for letter in await _dead(api, limit, dead=not settled):
            print(_line(letter))

    with_api(work, url)


@letters.command("resend")
def resend(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids that `letters list` prints.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that wait, the oldest first.")] = False,
    url: ApiUrl = None,
) -> None:
    """Have each done once more; what fails again comes back to the list."""
    from cli.process import Complaint
    from cli.rest import part, with_api

    async def work(api: "Rest") -> None:
        if bool(ids) == everything:
            raise Complaint("letters resend: tell ids, or --all")
        wanted = ids or [letter["id"] for letter in reversed(await _dead(api, MOST, dead=True))]
        for letter_id in wanted:
            print(_line(await api.ask("POST", f"/v1/dead-letters/{part(letter_id)}/resend")))

    with_api(work, url)


@letters.command("dismiss")
def dismiss(ids: LetterIds, url: ApiUrl = None) -> None:
    """Put each away; nobody will send it."""
    from cli.rest import part, with_api

    async def work(api: "Rest") -> None:
        for letter_id in ids:
            await api.ask("DELETE", f"/v1/dead-letters/{part(letter_id)}")

    with_api(work, url)


MOST = 500  # that the API lists


async def _dead(api: "Rest", limit: int, *, dead: bool) -> list[dict[str, Any]]:
    params = {"dead": str(dead).lower(), "limit": str(limit)}
    found: list[dict[str, Any]] = (await api.ask("GET", "/v1/dead-letters", params=params))["dead_letters"]
    return found


def _line(letter: dict[str, Any]) -> str:
    tries = f"{letter['attempts']} tries" if letter["attempts"] != 1 else "1 try"
    about = f"{letter['call_id'] or '-'}  {letter['step']}"
    return f"{letter['id']}  {letter['status']:9}  {about}  {letter['failure']} ({tries})"
