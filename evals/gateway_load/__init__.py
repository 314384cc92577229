"""Callers and a recogniser that cost little, so that a machine has room for the gateway they load."""
