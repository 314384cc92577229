"""How the processes log: an event with fields, as JSON for machines or in colour for people."""

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from cli.settings import Settings

PERSONAL_PREFIX = "pii_"
_QUIET = (
    "httpx",
    "httpcore",
    "httpx2",
    "httpcore2",
    "websockets",
    "picows",
    "aiosqlite",
    "twilio.async_http_client",
    "asyncio",
)


def drop_personal_data(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Leave out every field whose name begins with pii_."""
    return {name: value for name, value in event.items() if not name.startswith(PERSONAL_PREFIX)}


def set_up_logging(settings: Settings, role: str) -> None:
    """Send structlog and the standard library's loggers to standard error, each line marked with ``role``."""
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    if not settings.log_personal_data:
        shared.append(drop_personal_data)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[settings.log_level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if as_json:
        # format_exc_info and plain_traceback, because the others show local variables: speech and numbers among them
        last += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    else:
        last.append(structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback))
    _send_everything_to(structlog.stdlib.ProcessorFormatter(processors=last, foreign_pre_chain=shared), settings)
    structlog.contextvars.bind_contextvars(role=role)


def _send_everything_to(formatter: logging.Formatter, settings: Settings) -> None:
    out = logging.StreamHandler(sys.stderr)
    out.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [out]
    root.setLevel(settings.log_level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.WARNING)
