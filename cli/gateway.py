"""holdfast gateway."""

import structlog

from cli.process import listen, prepare_interpreter
from cli.settings import Settings
from cli.wiring import gateway_deps
from core.real_time import run_in_real_time
from media_gateway.serving import serve

log = structlog.get_logger()


async def serve_gateway(settings: Settings) -> None:
    """Serve until a signal, then until the live calls have ended or HOLDFAST_DRAIN_SECONDS have passed."""
    media = listen(settings.host, settings.gateway_port, "HOLDFAST_GATEWAY_PORT")
    internal = listen(settings.host, settings.gateway_internal_port, "HOLDFAST_GATEWAY_INTERNAL_PORT")
    async with gateway_deps(settings, internal.getsockname()[1]) as deps:
        prepare_interpreter()
        if not run_in_real_time():
            log.info("audio_without_real_time_priority")  # frames come late where other work fills the machine
        await serve(deps, media, internal)
