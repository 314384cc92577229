"""What Temporal is told of a failure, and what it must not be told."""

import pytest
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DataConverter

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
    try:
        with vendor_failures():
            try:
                raise ValueError(f"The 'To' number {NUMBER} is not a valid phone number.")
            except ValueError as from_sdk:
                raise error from from_sdk
    except Exception as raised:
        failure = Failure()
        DataConverter.default.failure_converter.to_failure(raised, DataConverter.default.payload_converter, failure)
        return failure
