"""What Temporal is told of a failure, and what it must not be told."""

import pytest
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError

from activities.retries import vendor_failures
from core.ports.errors import PlaybackLost, StorageUnavailable, UnknownPlaybook, VendorError

NUMBER = "+12025550123"
REFUSED = VendorError("carrier", "refused", "dial (code 21211) was answered with 400", curable=False)


@pytest.mark.parametrize(
    "error", [REFUSED, PlaybackLost("gone"), UnknownPlaybook("renewal"), StorageUnavailable("database: 57P01")]
)
def test_a_history_gets_our_words_for_a_failure_and_not_the_vendors(error: Exception) -> None:
    failure = told(error)
    assert failure.message == str(error)
    assert NUMBER not in str(failure)
    assert failure.cause.stack_trace  # where in our own code it was


def told(error: Exception) -> Failure:
    """The failure as it stands in the history, when an SDK's error is at its bottom."""
    with pytest.raises(ApplicationError) as raised, vendor_failures():
        fail_as_an_adapter_does(error)
    failure = Failure()
    converter = DataConverter.default
    converter.failure_converter.to_failure(raised.value, converter.payload_converter, failure)
    return failure


def fail_as_an_adapter_does(error: Exception) -> None:
    """Raise it, chained to what an SDK said."""
    try:
        raise ValueError(f"The 'To' number {NUMBER} is not a valid phone number.")
    except ValueError as from_sdk:
        raise error from from_sdk
