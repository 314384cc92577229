"""What a browser makes of a telephone's sound, and a telephone of a microphone's: the page's own worklet."""

import base64
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.g711 import FRAME_BYTES, decode, encode
from tests.api.console.board import LoggedIn

pytestmark = pytest.mark.browser

HEAR = """async ({ messages, live, clear }) => {
  const context = new AudioContext();
  await context.audioWorklet.addModule(document.getElementById("desk").dataset.worklet);
  const line = new AudioWorkletNode(context, "desk-line", { numberOfInputs: 0, outputChannelCount: [2] });
  const [splitter, ...ears] = [context.createChannelSplitter(2), context.createAnalyser(), context.createAnalyser()];
  line.connect(splitter);
  ears.forEach((ear, index) => { ear.fftSize = 8192; splitter.connect(ear, index); });
  line.connect(context.destination);
  const began = context.currentTime;
  for (let next = 0; context.currentTime < began + 0.6; await new Promise((done) => setTimeout(done, 10))) {
    const due = live ? (context.currentTime - began) / 0.02 : messages.length;
    for (; next < messages.length && next < due; next += 1) {
      line.port.postMessage(Uint8Array.from(atob(messages[next]), (byte) => byte.charCodeAt(0)).buffer);
    }
    if (clear) line.port.postMessage("clear");
  }
  const heard = ears.map((ear) => {
    const samples = new Float32Array(8192);
    ear.getFloatTimeDomainData(samples);
    return [...samples];
  });
  return { rate: context.sampleRate, heard };
}"""
SPEAK = """async (hz) => {
  const context = new AudioContext();
  await context.audioWorklet.addModule(document.getElementById("desk").dataset.worklet);
  const microphone = new AudioWorkletNode(context, "desk-microphone");
  const tone = new OscillatorNode(context, { frequency: hz });
  tone.connect(new GainNode(context, { gain: 0.5 })).connect(microphone).connect(context.destination);
  const frames = [];
  const whole = new Promise((done) => {
    microphone.port.onmessage = ({ data }) => {
      frames.push([...new Uint8Array(data)]);
      if (frames.length === 50) done();
    };
  });
  tone.start();
  await whole;
  return frames;
}"""


def tone(hz: float, seconds: float = 2.0) -> bytes:
    at = np.arange(int(8_000 * seconds))
    return encode((8_000 * np.sin(2 * np.pi * hz * at / 8_000)).astype(np.int16))


def strength(samples: NDArray[Any], rate: float, hz: float) -> float:
    """Of one pitch."""
    at = np.arange(len(samples)) / rate
    return float(abs(np.mean(samples * np.exp(-2j * np.pi * hz * at)))) * 2


async def on_a_live_call(console: LoggedIn) -> None:
    await console.live_call()
    await console.visit("/calls/CA1")
    await console.page.click("h1")  # browsers make no sound before somebody has touched the page


async def sides(console: LoggedIn, hz: float, messages: list[bytes], **options: bool) -> tuple[float, float]:
    """How loud this pitch is on the left and on the right, after a while."""
    written = [base64.b64encode(message).decode() for message in messages]
    told = await console.page.evaluate(HEAR, {"messages": written, "live": False, "clear": False} | options)
    left, right = (strength(np.array(side), told["rate"], hz) for side in told["heard"])
    return left, right


async def test_caller_is_heard_on_the_left_as_frames_come(console: LoggedIn) -> None:
    await on_a_live_call(console)
    said = tone(500.0)
    frames = [b"\x00" + said[at : at + FRAME_BYTES] for at in range(0, len(said), FRAME_BYTES)]
    left, right = await sides(console, 500.0, frames, live=True, clear=True)  # a clear is the assistant's matter
    assert left > 0.15
    assert 0.2 * left < right < 0.6 * left
    assert console.complaints == []


async def test_assistant_is_heard_on_the_right_until_it_is_cut_off(console: LoggedIn) -> None:
    await on_a_live_call(console)
    said = b"\x01" + tone(1_250.0)
    left, right = await sides(console, 1_250.0, [said])
    assert right > 0.15
    assert 0.2 * right < left < 0.6 * right
    assert max(await sides(console, 1_250.0, [said], clear=True)) < 0.01


async def test_microphone_becomes_frames_of_20_ms_at_the_same_pitch(console: LoggedIn) -> None:
    await on_a_live_call(console)
    frames: list[list[int]] = await console.page.evaluate(SPEAK, 1_000.0)
    assert {len(frame) for frame in frames} == {FRAME_BYTES}
    samples = decode(b"".join(map(bytes, frames[10:]))) / 32_768
    assert strength(samples, 8_000, 1_000.0) == pytest.approx(0.5, abs=0.05)
    assert float(np.sqrt(np.mean(samples**2))) == pytest.approx(0.5 / np.sqrt(2), abs=0.05)  # and nothing else
