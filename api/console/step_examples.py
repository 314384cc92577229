"""The page on which people review what playbooks may learn from their calls."""

from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse

from api.console.failures import Page
from api.console.render import page
from api.deps import ApiDeps
from api.step_examples import AcceptExample, ExampleId, RejectExample, Reviewing
from core.agenda import NO_STEP
from core.growth import Review
from core.ports.errors import UnknownPlaybook

ROWS = 50


def router(deps: ApiDeps) -> APIRouter:
    """GET /step-examples, and POST /step-examples/{example_id}/accept and /reject from its forms."""
    routes = APIRouter(prefix="/step-examples", route_class=Page)
    reviewing = Reviewing(deps)

    @routes.get("")
    async def show_examples(
        review: Annotated[Review, Query()] = Review.NEW, before: Annotated[str | None, Query(max_length=200)] = None
    ) -> HTMLResponse:
        examples, older = await reviewing.page(None, review, before, ROWS)
        names = sorted({example.playbook for example in examples})
        return page(
            "step_examples.html",
            review=review.value,
            reviews=[each.value for each in Review],
            examples=examples,
            older=older,
            steps={name: await _steps(name) for name in names},
            trust={name: await reviewing.trust(name) for name in names},
            learnt={name: next(iter(await deps.step_examples.fits(name, limit=1)), None) for name in names},
        )

    @routes.post("/{example_id}/accept")
    async def accept(example_id: ExampleId, form: Annotated[AcceptExample, Form()]) -> RedirectResponse:
        await reviewing.accept(example_id, form)
        return RedirectResponse("/step-examples", 303)

    @routes.post("/{example_id}/reject")
    async def reject(example_id: ExampleId, form: Annotated[RejectExample, Form()]) -> RedirectResponse:
        await reviewing.reject(example_id, form)
        return RedirectResponse("/step-examples", 303)

    async def _steps(name: str) -> list[str]:
        try:
            return [*(step.name for step in (await deps.playbooks.latest(name)).steps), NO_STEP]
        except UnknownPlaybook:
            return []

    return routes
