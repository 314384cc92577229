"""A real browser for tests; its microphone is a tone that comes and goes."""

import os
import subprocess
import wave
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from threading import Thread
from typing import Final

import numpy as np
import pytest
from playwright.async_api import Browser, BrowserContext, async_playwright

CHROMIUM: Final = Path("/usr/bin/chromium")
TONE_HZ: Final = 700  # of the microphone
FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",  # allows the microphone without asking
)
_RATE: Final = 48_000


@pytest.fixture(scope="session")
def chromium_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Debian's browser, one for all tests of a process; skipped where it is missing, but not in CI."""
    if not CHROMIUM.exists():
        missing = f"no {CHROMIUM}: the console was not looked at (apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    folder = tmp_path_factory.mktemp("chromium")
    microphone = _make_sound(folder / "microphone.wav")
    command = [
        str(CHROMIUM),
        *FLAGS,
        f"--use-file-for-fake-audio-capture={microphone}",
        "--remote-debugging-port=0",
        f"--user-data-dir={folder / 'profile'}",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    listening = (line.split()[-1] for line in process.stderr if line.startswith("DevTools listening on"))
    url = next(listening)
    Thread(target=process.stderr.read, daemon=True).start()  # a full pipe would stop the browser
    yield url
    process.terminate()
    process.wait()


@pytest.fixture
async def chromium(chromium_url: str) -> AsyncIterator[Browser]:
    """The browser, as this test's event loop reaches it."""
    async with async_playwright() as playwright:
        yield await playwright.chromium.connect_over_cdp(chromium_url)


@pytest.fixture
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """A browser of the test's own, without a session."""
    context = await chromium.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(15_000)  # the machine is shared
    yield context
    await context.close()


def _make_sound(path: Path) -> Path:
    """Bursts of half a second, as of speech, as browsers take a steady tone for noise; then a pause, as after words."""
    at = np.arange(4 * _RATE)
    loudness = np.sin(2 * np.pi * at / _RATE) ** 2 * (at < 2.5 * _RATE)
    samples = (12_000 * loudness * np.sin(2 * np.pi * TONE_HZ * at / _RATE)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(samples.tobytes())
    return path
