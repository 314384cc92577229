"""A browser's way in and out: the key once, a signed cookie from then on."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse

from api.auth import SESSION_COOKIE, is_key, is_same_origin, set_session
from api.deps import ApiDeps


def router(deps: ApiDeps) -> APIRouter:
    """POST /login and /logout; the page with the form belongs to the console."""
    routes = APIRouter(include_in_schema=False)
    settings = deps.settings

    @routes.post("/login")
    async def log_in(
        request: Request, key: Annotated[str, Form()], next: Annotated[str, Form()] = "/"
    ) -> RedirectResponse:
        if "origin" in request.headers and not is_same_origin(settings, request.headers):
            raise HTTPException(403, "This form comes from another site.")
        target = _own_page(next)
        if not is_key(settings, key.strip()):
            return RedirectResponse(f"/login?failed=1&next={quote(target)}", 303)
        response = RedirectResponse(target, 303)
        set_session(response, settings)
        return response

    @routes.post("/logout")
    async def log_out() -> RedirectResponse:
        response = RedirectResponse("/login", 303)
        response.delete_cookie(SESSION_COOKIE)
        return response

    return routes


def _own_page(path: str) -> str:
    """The path if it is one of this site, else the front page."""
    is_own = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_own else "/"
