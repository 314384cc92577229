"""holdfast worker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from temporalio.client import Client
from temporalio.worker import Worker

from activities.preparing import LinePreparer
from activities.roster import Ports
from cli.deployment import QUEUES
from cli.lost_calls import telling_lost_calls
from cli.process import Complaint, SideServer, listen, prepare_interpreter, until_stopped
from cli.settings import Settings
from cli.temporal_client import connect
from cli.wiring import worker_ports
from core.contracts.names import CALLS_QUEUE
from workflows.fingerprint import build_id
from workflows.worker import build_workers

RETRY_CONNECT_S = 1.0

log = structlog.get_logger()


def work_on(queues: str) -> Callable[[Settings], Coroutine[Any, Any, None]]:
    """A main that works on these queues, with commas between."""

    async def main(settings: Settings) -> None:
        chosen = _chosen(queues)
        await until_stopped(lambda stopping: _work(settings, chosen, stopping))

    return main


def _chosen(queues: str) -> list[str]:
    chosen = [queue.strip() for queue in queues.split(",") if queue.strip()]
    unknown = [queue for queue in chosen if queue not in QUEUES]
    if unknown or not chosen:
        raise Complaint(f"--queues: {', '.join(unknown) or 'none'}: there are {', '.join(QUEUES)}")
    return chosen


async def _work(settings: Settings, queues: list[str], stopping: asyncio.Event) -> None:
    """Poll until told to stop; then take nothing new, and let what is under way end."""
    sock = listen(settings.host, settings.worker_port, "HOLDFAST_WORKER_PORT")
    told = asyncio.create_task(stopping.wait())
    workers: list[Worker] = []
    health = SideServer(health_app(workers))
    serving = asyncio.create_task(health.serve(sockets=[sock]))
    try:
        async with worker_ports(settings) as ports:
            client = await _connected(settings, stopping)
            if client is not None:
                built = build_workers(client, ports, versioned=settings.versioned_workers)
                workers += [worker for worker in built if worker.task_queue in queues]
                log.info("worker_begins", version=build_id(), versioned=settings.versioned_workers)
                prepare_interpreter()
                async with _prepared(ports, CALLS_QUEUE in queues), telling_lost_calls(ports.lost_calls, client):
                    await _run(workers, until=(told, serving))
    finally:
        told.cancel()
        health.should_exit = True
        await serving


@contextlib.asynccontextmanager
async def _prepared(ports: Ports, wanted: bool) -> AsyncIterator[None]:
    """Fixed lines are recorded and documents indexed in the background as long as the block runs.

    Only what documents tell by their words is waited for, once: no call may begin without them.
    """
    if not wanted:
        yield
        return
    work = [LinePreparer(ports.playbooks, ports.line_voice, ports.speech_cache).run()]
    if ports.knowledge is not None:
        await ports.knowledge.open()
        work.append(ports.knowledge.run())
    preparing = [asyncio.create_task(part) for part in work]
    for task in preparing:
        task.add_done_callback(_tell_if_broken)
    try:
        yield
    finally:
        for task in preparing:
            task.cancel()
        await asyncio.wait(preparing)


def _tell_if_broken(preparing: asyncio.Task[None]) -> None:
    if not preparing.cancelled() and (error := preparing.exception()) is not None:
        log.error("no_longer_prepared", exc_info=error)


async def _run(workers: list[Worker], until: Sequence[asyncio.Task[Any]]) -> None:
    """Run them until something of ``until`` or one of them ends. Raises what a worker failed with."""
    running = [asyncio.create_task(worker.run()) for worker in workers]
    try:
        await asyncio.wait([*until, *running], return_when=asyncio.FIRST_COMPLETED)
    finally:
        log.info("worker_drains")
        await asyncio.gather(*(worker.shutdown() for worker in workers))
        await asyncio.gather(*running)


async def _connected(settings: Settings, stopping: asyncio.Event) -> Client | None:
    """A client, once the server is there; None if told to stop before."""
    while not stopping.is_set():
        try:
            return await connect(settings)
        except RuntimeError as error:
            log.warning("temporal_away", address=settings.temporal_address, error=str(error))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), RETRY_CONNECT_S)
    return None


def health_app(workers: Sequence[Worker]) -> FastAPI:
    """/healthz, /readyz and /metrics of a worker process; ready while all its workers poll."""
    app = FastAPI(title="Holdfast worker", openapi_url=None)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz(response: Response) -> dict[str, str | list[str]]:
        polling = [worker.task_queue for worker in workers if worker.is_running]
        if not workers or len(polling) < len(workers):
            response.status_code = 503
        return {"polling": polling, "version": build_id()}

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return app
