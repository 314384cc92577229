"""The way to the Temporal server, and the search attributes it must know."""

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from cli.settings import Settings
from core.contracts.names import SEARCH_ATTRIBUTES


async def connect(settings: Settings, *, lazy: bool = False) -> Client:
    """A client with the house's data converter. Raises RuntimeError when the server is away.

    A ``lazy`` one connects when it is first used, so that a role starts while the server is away.
    """
    return await Client.connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        data_converter=pydantic_data_converter,
        lazy=lazy,
    )


async def missing_search_attributes(client: Client) -> list[str]:
    """Names that are not registered as Keyword; each would make every start of a call fail. Raises RPCError."""
    known = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
    return [name for name in SEARCH_ATTRIBUTES if known.custom_attributes.get(name) != keyword]


async def register_search_attributes(client: Client) -> list[str]:
    """Register those that are missing; returns their names. Raises RPCError."""
    missing = await missing_search_attributes(client)
    if missing:
        keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=client.namespace, search_attributes=dict.fromkeys(missing, keyword))
        )
    return missing
