"""The commands of holdfast consent: who has agreed to be called."""

from datetime import datetime
from typing import Annotated

import typer

from cli.options import ApiUrl

Number = Annotated[str, typer.Argument(help="As +493012345678.")]
FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]

consent = typer.Typer(no_args_is_help=True, help="Who has agreed to be called (HOLDFAST_API_KEY).")


@consent.command("add")
def add(
    number: Number,
    given: Annotated[datetime | None, typer.Option(formats=FORMATS, help="When; none: now.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=FORMATS, help="It counts until then.")] = None,
    source: Annotated[str, typer.Option(help="Where, for whoever asks later: web form.")] = "",
    url: ApiUrl = None,
) -> None:
    """Put a consent on record; the newest word counts. Times without a zone are of this machine."""
    from cli.consent_work import add as work

    work(number, given, until, source, url)


@consent.command("revoke")
def revoke(
    number: Number,
    at: Annotated[datetime | None, typer.Option(formats=FORMATS, help="When; none: now.")] = None,
    reason: Annotated[str, typer.Option(help="For whoever asks later: `dnc log` tells it.")] = "",
    url: ApiUrl = None,
) -> None:
    """Take a consent back: campaigns that need one do not call the number any more, also where they had planned to."""
    from cli.consent_work import revoke as work

    work(number, at, reason, url)


@consent.command("show")
def show(number: Number, url: ApiUrl = None) -> None:
    """Show what is on record of a number; exit code 1 if that allows no call now."""
    from cli.consent_work import show as work

    work(number, url)
