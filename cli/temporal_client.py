"""The way to the Temporal server, and the search attributes it must know."""

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import GrpcCompression, TLSConfig

from cli.settings import Settings, reveal
from core.contracts.names import SEARCH_ATTRIBUTES
from workflows.codec import HistoryKey, read_keys
from workflows.packing import house_converter


async def connect(settings: Settings, *, lazy: bool = False) -> Client:
    """A client with the house's data converter. Raises RuntimeError when the server is away.

    A ``lazy`` one connects when it is first used, so that a role starts while the server is away.
    """
    return await Client.connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        data_converter=house_converter(pydantic_data_converter, history_keys(settings)),
        api_key=reveal(settings.temporal_api_key) or None,
        tls=_tls(settings),
        lazy=lazy,
        grpc_compression=GrpcCompression.NONE,  # a turn's messages are small: packing them costs more than it saves
    )


def history_keys(settings: Settings) -> tuple[HistoryKey, ...]:
    """What history is sealed with; (): it is not."""
    return read_keys(reveal(settings.history_keys)) if settings.history_keys is not None else ()


def _tls(settings: Settings) -> TLSConfig | bool | None:
    """None leaves it to the SDK: TLS with an API key, none without."""
    files = (settings.temporal_tls_server_ca, settings.temporal_tls_client_cert, settings.temporal_tls_client_key)
    if settings.temporal_tls is False or not (any(files) or settings.temporal_tls_server_name):
        return settings.temporal_tls
    ca, cert, key = (file.read_bytes() if file else None for file in files)
    return TLSConfig(
        server_root_ca_cert=ca, domain=settings.temporal_tls_server_name, client_cert=cert, client_private_key=key
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
