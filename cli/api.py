"""holdfast api."""

from api.app import create_app
from cli.process import listen, serve
from cli.settings import Settings
from cli.wiring import api_deps


async def serve_api(settings: Settings) -> None:
    """Serve until a signal."""
    async with api_deps(settings) as deps:
        await serve(create_app(deps), listen(settings.host, settings.port, "HOLDFAST_PORT"))
