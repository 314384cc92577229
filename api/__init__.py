"""REST /v1, carrier webhooks, console and live feed; starts workflows by name."""
