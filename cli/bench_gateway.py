"""holdfast bench gateway: how many calls one gateway process holds."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from cli.bench_stack import DATA, NUMBER, options_of, pids_of, run
from cli.progress import progress
from cli.stack import Stack, free_port
from evals.figures import Row
from evals.gateway_bench import GatewayBench
from evals.gateway_load.carriers import Load
from evals.sandbox_control import SandboxControl
from sandbox.audio_code import noise

SPEECH_S = 6.0  # longer than any question


def run_gateway(calls: Sequence[int], seconds: float, json_file: Path | None, workers: int) -> None:
    """Hold calls on one gateway, at each number of them."""
    recogniser_port = free_port()
    deepgram = {"DEEPGRAM_BASE_URL": f"http://127.0.0.1:{recogniser_port}"}

    async def measure(stack: Stack) -> AsyncIterator[Row]:
        speech = DATA / "speech.ulaw"
        speech.write_bytes(noise(SPEECH_S, "caller"))
        sandbox = SandboxControl(stack.sandbox_url or "")
        try:
            await sandbox.lines_are_made()
        finally:
            await sandbox.close()
        for count in calls:
            load = Load(
                url=stack.public_url,
                number=NUMBER,
                account_sid=stack.environment["TWILIO_ACCOUNT_SID"],
                auth_token=stack.environment["TWILIO_AUTH_TOKEN"],
                speech=str(speech),
                calls=count,
                seconds=seconds,
            )
            async with progress(f"Holding {count} calls"):
                row = await GatewayBench(load, recogniser_port, pids_of(stack)).run()
            yield row

    run(options_of(workers, deepgram), measure, json_file)
