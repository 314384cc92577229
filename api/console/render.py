"""Templates to responses. Whatever is put into a template is escaped; pages may load nothing from elsewhere."""

import base64
import hashlib
import time
from pathlib import Path
from typing import Any, Final

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from api.console import words
from api.console.assets import digest
from api.console.latency import bar
from core.timings import LAYERS

TEMPLATES: Final = Path(__file__).parent / "templates"


def _policy(style: str = "'self'") -> str:
    return (
        f"default-src 'self'; style-src {style}; img-src 'self' data:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "phone": words.phone,
        "readable": words.readable,
        "span": words.span,
        "iso": words.iso,
        "utc": words.utc,
        "milliseconds": words.milliseconds,
        "percent": words.percent,
        "usd": words.usd,
        "pretty": words.pretty,
    }
    environment.globals |= {
        "outcome": words.outcome,
        "phase_words": words.phase,
        "step_words": words.step,
        "unheard": words.unheard,
        "bar": bar,
        "layers": LAYERS,
        "layer_names": words.LAYER_NAMES,
        "assets": digest(),
        "now_ms": _now_ms,
    }
    return environment


def _now_ms() -> float:
    return time.time() * 1_000


_ENVIRONMENT: Final = _environment()
_LOGIN_STYLE: Final = (TEMPLATES / "login.css").read_text()
_HEADERS: Final = {
    "Content-Security-Policy": _policy(),
    "Cache-Control": "no-store",  # personal data
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def page(template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page, or a piece of one that a browser asked for."""
    return HTMLResponse(_ENVIRONMENT.get_template(template).render(values), status, _HEADERS)


def fragment(template: str, macro: str, *values: Any) -> str:
    """One piece of a page by its macro, the same that the whole page is made with."""
    return str(getattr(_ENVIRONMENT.get_template(template).module, macro)(*values)).strip()


def login_page(**values: Any) -> HTMLResponse:
    """The page with the form, which stands alone: its style is inside, for nothing else is open."""
    digest_ = base64.b64encode(hashlib.sha256(_LOGIN_STYLE.encode()).digest()).decode()
    headers = _HEADERS | {"Content-Security-Policy": _policy(f"'sha256-{digest_}'")}
    text = _ENVIRONMENT.get_template("login.html").render(values, style=Markup(_LOGIN_STYLE))
    return HTMLResponse(text, headers=headers)
