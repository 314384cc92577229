"""Twilio's ids."""

import secrets


def new_sid(prefix: str) -> str:
    """A fresh one: two letters for what it is, and 32 hex digits."""
    return prefix + secrets.token_hex(16)
