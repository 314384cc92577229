"""The pydantic converter, with what it learns of a type learnt once a process.

Same bytes as temporalio.contrib.pydantic. The SDK makes a payload converter for every workflow it loads, and the stock
one builds all its type adapters anew each time: 30 ms of CPU a call, most of it before the greeting.
"""

from contextlib import suppress
from dataclasses import is_dataclass, replace
from typing import Any, Final

from pydantic import ValidationError
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter
from temporalio.converter import CompositePayloadConverter, DataConverter, DefaultPayloadConverter

from core.contracts import call, notes, tools
from core.contracts.call import CallInput
from core.conversation import Step, ToolResult
from core.live_call import LiveCall

_JSON: Final = PydanticJSONPlainPayloadConverter()


class SharedPydanticConverter(CompositePayloadConverter):
    """The stock pydantic converter around one JSON converter."""

    def __init__(self) -> None:
        stock = DefaultPayloadConverter.default_encoding_payload_converters
        super().__init__(*(_JSON if converter.encoding == _JSON.encoding else converter for converter in stock))


def with_shared_types(converter: DataConverter) -> DataConverter:
    """The same converter, codec and all, but with shared type adapters."""
    return replace(converter, payload_converter_class=SharedPydanticConverter)


def learn_types() -> None:
    """Make the adapters of all contracts now, rather than in somebody's first call."""
    null = _JSON.to_payload(None)
    contracts: list[Any] = [
        kind
        for module in (call, notes, tools)
        for kind in vars(module).values()
        if isinstance(kind, type) and is_dataclass(kind)
    ]
    if null is not None:
        for kind in [*contracts, Step, ToolResult, CallInput | LiveCall]:
            with suppress(ValidationError):  # nothing is none of them
                _JSON.from_payload(null, kind)
