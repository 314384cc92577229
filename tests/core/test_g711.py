import numpy as np

from core import g711


def test_decoding_and_encoding_again_gives_the_same_code() -> None:
    codes = bytes(code for code in range(256) if code != 0x7F)  # 0x7F is minus zero: it comes back as 0xFF
    assert g711.encode(g711.decode(codes)) == codes
    assert g711.encode(g711.decode(b"\x7f")) == b"\xff"


def test_known_codes_have_their_published_values() -> None:
    assert g711.decode(bytes([0x00, 0x80, 0xFF, 0x7F, 0xF0])).tolist() == [-32124, 32124, 0, 0, 120]


def test_every_sample_comes_back_within_half_a_step() -> None:
    samples = np.arange(-32_635, 32_636, dtype=np.int32).astype(np.int16)
    error = np.abs(g711.decode(g711.encode(samples)).astype(int) - samples)
    assert np.all(error <= (np.abs(samples.astype(int)) + 132) / 32 + 1)  # a step is a 16th of the biased value at most


def test_samples_beyond_the_range_are_clipped() -> None:
    extremes = np.array([-32_768, 32_767], dtype=np.int16)
    assert g711.decode(g711.encode(extremes)).tolist() == [-32124, 32124]
