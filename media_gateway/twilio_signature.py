"""Whether a media stream's handshake comes from our carrier account."""

from twilio.request_validator import RequestValidator


class HandshakeSignature:
    """Checks X-Twilio-Signature of the stream's handshake.

    The signed text is the url alone, as our TwiML gave it: it is built from the configured public origin, never from
    the request, since a proxy may have changed that.
    """

    def __init__(self, auth_token: str, stream_url: str) -> None:
        self._validator = RequestValidator(auth_token)
        self._url = stream_url

    def valid(self, signature: str | None) -> bool:
        """Whether the header's value, None if it was absent, is right."""
        return bool(signature) and self._validator.validate(self._url, {}, signature)
