// Between the browser's sound and a telephone's: mu-law at 8 kHz, in frames of 20 ms.
"use strict";

const LINE_RATE = 8000;
const FRAME = 160;
const PHASES = 256; // of the kernel, between two samples
const CALLER = 0;

const LINEAR = Float32Array.from({ length: 256 }, (_, byte) => {
  const code = ~byte & 0xff;
  const magnitude = ((((code & 0x0f) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84;
  return (code & 0x80 ? -magnitude : magnitude) / 32768;
});

function mulaw(sample) {
  const value = Math.max(-1, Math.min(1, sample)) * 32767;
  const biased = Math.min(Math.abs(value), 32635) + 0x84;
  const segment = Math.floor(Math.log2(biased)) - 7;
  return ~((value < 0 ? 0x80 : 0) | (segment << 4) | ((biased >> (segment + 3)) & 0x0f)) & 0xff;
}

// Samples of one rate in, of another out, by a windowed sinc; reads ahead by half its kernel.
class Resampler {
  constructor(from, to) {
    this.step = from / to;
    const cutoff = Math.min(1, to / from) * 0.94;
    this.half = Math.ceil(10 / cutoff);
    this.kernel = Float32Array.from({ length: this.half * PHASES + 1 }, (_, index) => {
      const x = index / PHASES;
      const sinc = x ? Math.sin(Math.PI * cutoff * x) / (Math.PI * x) : cutoff;
      return sinc * (0.5 + 0.5 * Math.cos((Math.PI * x) / this.half));
    });
    this.samples = new Float32Array(4 * this.half);
    this.clear();
  }

  // Forget what was not read yet.
  clear() {
    this.samples.fill(0, 0, this.half);
    this.size = this.at = this.half; // silence before the first sample
  }

  // How many samples wait, beyond what is read ahead.
  get waiting() { return this.size - this.at - this.half; }

  write(samples) {
    const done = Math.max(0, Math.floor(this.at) - this.half);
    if (this.size + samples.length > this.samples.length) {
      const kept = this.samples.subarray(done, this.size);
      const room = 2 * (kept.length + samples.length);
      const into = room > this.samples.length ? new Float32Array(room) : this.samples;
      if (into === this.samples) this.samples.copyWithin(0, done, this.size);
      else into.set(kept);
      this.samples = into;
      this.size = kept.length;
      this.at -= done;
    }
    this.samples.set(samples, this.size);
    this.size += samples.length;
  }

  skip(samples) { this.at += samples; }

  // The next sample; null until there are enough.
  read() {
    if (this.at + this.half >= this.size) return null;
    const first = Math.ceil(this.at - this.half);
    const last = Math.floor(this.at + this.half);
    let sum = 0;
    for (let n = first; n <= last; n += 1) {
      sum += this.samples[n] * this.kernel[Math.round(Math.abs(this.at - n) * PHASES)];
    }
    this.at += this.step;
    return sum;
  }
}

class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(sampleRate, LINE_RATE);
    this.frame = new Uint8Array(FRAME);
    this.filled = 0;
  }

  process([[channel]]) {
    this.resampler.write(channel || new Float32Array(128)); // a microphone that is muted is silent, not gone
    for (let sample = this.resampler.read(); sample !== null; sample = this.resampler.read()) {
      this.frame[this.filled] = mulaw(sample);
      this.filled += 1;
      if (this.filled === FRAME) {
        this.port.postMessage(this.frame.buffer, [this.frame.buffer]);
        this.frame = new Uint8Array(FRAME);
        this.filled = 0;
      }
    }
    return true;
  }
}

// One speaker. What comes live waits a moment, so that a late frame makes no gap, and never longer than it has to;
// the assistant's speech comes ahead of its time and is played to its end.
class Track {
  constructor(live) {
    this.live = live;
    this.resampler = new Resampler(LINE_RATE, sampleRate);
    this.begun = false;
  }

  write(audio) {
    this.resampler.write(Float32Array.from(audio, (byte) => LINEAR[byte]));
    const late = this.resampler.waiting - Track.MOST;
    if (this.live && late > 0) this.resampler.skip(late + Track.MOST - Track.AHEAD);
  }

  clear() {
    this.resampler.clear();
    this.begun = false;
  }

  read() {
    this.begun = this.begun || !this.live || this.resampler.waiting >= Track.AHEAD;
    const sample = this.begun ? this.resampler.read() : 0;
    if (sample === null) this.begun = false;
    return sample || 0;
  }
}
Track.AHEAD = 0.06 * LINE_RATE;
Track.MOST = 0.4 * LINE_RATE;

class Line extends AudioWorkletProcessor {
  constructor() {
    super();
    this.tracks = [new Track(true), new Track(false), new Track(true)];
    this.port.onmessage = ({ data }) => {
      if (data === "clear") return this.tracks[1].clear();
      const [track, audio] = [new Uint8Array(data, 0, 1)[0], new Uint8Array(data, 1)];
      if (this.tracks[track]) this.tracks[track].write(audio);
    };
  }

  // The caller more to the left, those who speak to them more to the right.
  process(_, [[left, right]]) {
    for (let index = 0; index < left.length; index += 1) {
      const caller = this.tracks[CALLER].read();
      const others = this.tracks[1].read() + this.tracks[2].read();
      left[index] = caller + 0.4 * others;
      right[index] = others + 0.4 * caller;
    }
    return true;
  }
}

registerProcessor("desk-microphone", Microphone);
registerProcessor("desk-line", Line);
