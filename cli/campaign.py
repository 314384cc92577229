"""The commands of holdfast campaign and holdfast dnc: whom to call, when, and what came of it."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.options import ApiUrl

CampaignId = Annotated[str, typer.Argument(help="An id that `campaign list` prints.")]
Number = Annotated[str, typer.Argument(help="As +493012345678.")]
Scope = Annotated[
    Literal["global", "tenant", "campaign"], typer.Option(help="Who must not call it: anybody, we, one campaign.")
]

campaign = typer.Typer(no_args_is_help=True, help="Call lists of people (HOLDFAST_API_KEY).")
dnc = typer.Typer(no_args_is_help=True, help="Numbers that must not be called (HOLDFAST_API_KEY).")


@campaign.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What people call it.")],
    playbook: Annotated[str, typer.Option(help="The playbook's name.")],
    from_: Annotated[str | None, typer.Option("--from", help="One of our numbers; none: HOLDFAST_OUR_NUMBER.")] = None,
    in_flight: Annotated[int, typer.Option(help="Calls at once.", min=1)] = 5,
    hours: Annotated[
        list[str] | None, typer.Option(help="When, by the contact's clock: 09:00-12:30. Repeatable; none: 9 to 20.")
    ] = None,
    holiday: Annotated[list[str] | None, typer.Option(help="A day without calls: 2026-12-25. Repeatable.")] = None,
    no_consent: Annotated[
        bool, typer.Option("--no-consent", help="Also whom no consent is on record of: only where the law allows it.")
    ] = False,
    priority: Annotated[int, typer.Option(help="The higher goes first.")] = 0,
    good_hours: Annotated[
        bool, typer.Option("--good-hours", help="Numbers that answered about this hour before go first.")
    ] = False,
    webhook: Annotated[str | None, typer.Option(help="A public https address that is told of results, signed.")] = None,
    url: ApiUrl = None,
) -> None:
    """Write a draft and print its id; nobody is called before `campaign start`."""
    from cli.campaign_work import create as work

    wanted = {
        "name": name,
        "playbook": playbook,
        "in_flight": in_flight,
        "holidays": holiday or [],
        "needs_consent": not no_consent,
        "priority": priority,
        "good_hours": good_hours,
    }
    if from_ is not None:
        wanted["from"] = from_
    if webhook is not None:
        wanted["webhook_url"] = webhook
    work(wanted, hours or [], url)


@campaign.command("upload")
def upload(
    campaign: CampaignId,
    file: Annotated[Path, typer.Argument(help="CSV, JSON lines or a JSON array; of any length.")],
    name: Annotated[str | None, typer.Option(help="Names the list in its campaign; none: by what it holds.")] = None,
    region: Annotated[str, typer.Option(help="Of numbers in national form, as DE.")] = "",
    number: Annotated[str, typer.Option(help="The number's column, if it has no usual name.")] = "",
    zone: Annotated[str, typer.Option(help="The time zone's column, if it has no usual name.")] = "",
    consent: Annotated[str, typer.Option(help="The consent's column, if it has no usual name.")] = "",
    leave_out: Annotated[list[str] | None, typer.Option(help="A column that no call gets. Repeatable.")] = None,
    encoding: Annotated[str, typer.Option(help="Unless the list begins with a mark.")] = "utf-8",
    url: ApiUrl = None,
) -> None:
    """Send a list; exit code 1 if lines of it cannot be used. Sent again, one that was cut goes on."""
    from cli.campaign_work import upload as work

    told = {"region": region, "number": number, "zone": zone, "consent": consent, "encoding": encoding}
    work(campaign, file, name, {**told, "leave_out": leave_out or []}, url)


@campaign.command("check")
def check(campaign: CampaignId, url: ApiUrl = None) -> None:
    """Say who would be called now, later and never, how long it takes and what it costs; nobody is called."""
    from cli.campaign_check import check as work

    work(campaign, url)


@campaign.command("list")
def listed(url: ApiUrl = None) -> None:
    """List campaigns, the newest first."""
    from cli.campaign_work import show_all

    show_all(url)


@campaign.command("start")
def start(campaign: CampaignId, url: ApiUrl = None) -> None:
    """Call whoever may be called."""
    from cli.campaign_work import tell

    tell(campaign, "start", url)


@campaign.command("pause")
def pause(campaign: CampaignId, url: ApiUrl = None) -> None:
    """Begin no further call; those under way go on."""
    from cli.campaign_work import tell

    tell(campaign, "pause", url)


@campaign.command("resume")
def resume(campaign: CampaignId, url: ApiUrl = None) -> None:
    """Go on."""
    from cli.campaign_work import tell

    tell(campaign, "resume", url)


@campaign.command("cancel")
def cancel(campaign: CampaignId, url: ApiUrl = None) -> None:
    """Call nobody any more; it cannot be started again."""
    from cli.campaign_work import tell

    tell(campaign, "cancel", url)


@campaign.command("pace")
def pace(
    campaign: CampaignId,
    in_flight: Annotated[int, typer.Argument(help="Calls at once.", min=1)],
    url: ApiUrl = None,
) -> None:
    """Change how many calls there are at once, also while it runs."""
    from cli.campaign_work import change

    change(campaign, {"in_flight": in_flight}, url)


@campaign.command("webhook")
def webhook(
    campaign: CampaignId,
    address: Annotated[
        str | None, typer.Argument(help="A public https address; it gets a POST for each result.")
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="Tell nobody any more.")] = False,
    url: ApiUrl = None,
) -> None:
    """Have a server of yours told of results, what it was not told yet included; a new address's secret is printed."""
    from cli.campaign_work import change_webhook

    change_webhook(campaign, address, url, off=off)


@campaign.command("watch")
def watch(campaign: CampaignId, url: ApiUrl = None) -> None:
    """Show how it goes until it is over."""
    from cli.campaign_work import watch as work

    work(campaign, url)


@campaign.command("results")
def results(
    campaign: CampaignId,
    file: Annotated[Path | None, typer.Option("--file", help="Write them here; none: print.")] = None,
    format_: Annotated[Literal["csv", "json"], typer.Option("--format", help="JSON: a line a contact.")] = "csv",
    url: ApiUrl = None,
) -> None:
    """What came of each contact."""
    from cli.campaign_work import results as work

    work(campaign, file, format_, url)


@dnc.command("add")
def dnc_add(
    number: Number,
    scope: Scope = "tenant",
    campaign: Annotated[str | None, typer.Option(help="Which, for --scope campaign.")] = None,
    reason: Annotated[str, typer.Option(help="For whoever asks later.")] = "",
    url: ApiUrl = None,
) -> None:
    """Forbid calls to a number, at once and everywhere."""
    from cli.campaign_work import forbid

    forbid({"number": number, "scope": scope, "of": campaign, "reason": reason}, url)


@dnc.command("list")
def dnc_list(
    number: Annotated[str | None, typer.Argument(help="Only this one, also what was revoked.")] = None,
    url: ApiUrl = None,
) -> None:
    """List numbers that must not be called."""
    from cli.campaign_work import forbidden

    forbidden(number, url)


@dnc.command("remove")
def dnc_remove(
    number: Number,
    scope: Scope = "tenant",
    campaign: Annotated[str | None, typer.Option(help="Which, for --scope campaign.")] = None,
    reason: Annotated[str, typer.Option(help="For whoever asks later.")] = "",
    url: ApiUrl = None,
) -> None:
    """Allow calls again; that they were forbidden stays on record."""
    from cli.campaign_work import allow

    allow({"number": number, "scope": scope, "reason": reason} | ({"of": campaign} if campaign else {}), url)


@dnc.command("log")
def dnc_log(
    number: Annotated[str | None, typer.Argument(help="Only of this one.")] = None,
    url: ApiUrl = None,
) -> None:
    """List who was forbidden, allowed again, or has revoked a consent, the newest first."""
    from cli.campaign_work import permission_log

    permission_log(number, url)
