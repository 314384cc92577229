"""The shipped connectors, as far as they are set up by HOLDFAST_SECRET_*; each is built from its secrets by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from vendors.tool_secrets import PREFIX, ToolSecrets

if TYPE_CHECKING:
    import httpx

    from core.ports.crm import CallNotes
    from vendors.calcom import CalCom
    from vendors.calendly import Calendly
    from vendors.hubspot import HubSpot
    from vendors.salesforce import Salesforce

REQUEST_S: Final = 6.0  # of one request, where no caller waits


class Checkable(Protocol):
    """What can be asked whether it is set up at the vendor."""

    async def missing(self) -> list[str]:
        """What the account lacks for us, in words. Raises VendorError if it does not let us in."""
        ...


@dataclass(frozen=True)
class Connector:
    """One vendor: the secrets it needs, the key among them last, and where it is if not at home."""

    name: str
    secrets: tuple[str, ...]
    build: Callable[["httpx.AsyncClient", ToolSecrets], Checkable]

    @property
    def base_url(self) -> str:
        """The secret that moves it."""
        return f"{self.name.upper()}_BASE_URL"

    @property
    def key(self) -> str:
        """The secret that opens it."""
        return self.secrets[-1]

    def chosen(self, secrets: ToolSecrets) -> bool:
        """Whether anything of it is set."""
        return any(name in secrets for name in (*self.secrets, self.base_url))

    def lacks(self, secrets: ToolSecrets) -> list[str]:
        """The variables that are not set."""
        return [f"{PREFIX}{name}" for name in self.secrets if name not in secrets]


def salesforce(http: "httpx.AsyncClient", secrets: ToolSecrets) -> "Salesforce":
    """Raises VendorError if a secret is not set."""
    from vendors.salesforce import Salesforce

    base_url, client_id, client_secret = map(secrets, CONNECTORS["salesforce"].secrets)
    return Salesforce(http, base_url, client_id, client_secret, {}, timeout_seconds=REQUEST_S)


def hubspot(http: "httpx.AsyncClient", secrets: ToolSecrets) -> "HubSpot":
    """Raises VendorError if a secret is not set."""
    from vendors.hubspot import DEFAULT_BASE_URL, HubSpot

    base_url = secrets("HUBSPOT_BASE_URL", DEFAULT_BASE_URL)
    return HubSpot(http, base_url, secrets("HUBSPOT_ACCESS_TOKEN"), timeout_seconds=REQUEST_S)


def calendly(http: "httpx.AsyncClient", secrets: ToolSecrets) -> "Calendly":
    """Raises VendorError if a secret is not set."""
    from vendors.calendly import DEFAULT_BASE_URL, Calendly

    return Calendly(http, secrets("CALENDLY_BASE_URL", DEFAULT_BASE_URL), secrets("CALENDLY_TOKEN"), {})


def calcom(http: "httpx.AsyncClient", secrets: ToolSecrets) -> "CalCom":
    """Raises VendorError if a secret is not set."""
    from vendors.calcom import DEFAULT_BASE_URL, CalCom

    return CalCom(http, secrets("CALCOM_BASE_URL", DEFAULT_BASE_URL), secrets("CALCOM_API_KEY"))


CONNECTORS: Final[Mapping[str, Connector]] = {
    connector.name: connector
    for connector in (
        Connector(
            "salesforce", ("SALESFORCE_BASE_URL", "SALESFORCE_CLIENT_ID", "SALESFORCE_CLIENT_SECRET"), salesforce
        ),
        Connector("hubspot", ("HUBSPOT_ACCESS_TOKEN",), hubspot),
        Connector("calendly", ("CALENDLY_TOKEN",), calendly),
        Connector("calcom", ("CALCOM_API_KEY",), calcom),
    )
}
NOTE_TAKERS: Final[Mapping[str, Callable[["httpx.AsyncClient", ToolSecrets], "CallNotes"]]] = {
    "salesforce": salesforce,
    "hubspot": hubspot,
}
"""What HOLDFAST_CRM may name beside "http"."""
