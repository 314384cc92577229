"""A voice's audio goes to the gateway at once while it may be waited for, and in packets once it is ahead."""

import asyncio

import pytest

from activities.packing import Packer
from core.ports.errors import PlaybackLost
from core.ports.speech import SpeechChunk, SpokenWord

PIECE = b"\xff" * 480  # 60 ms


class Gateway:
    """What came, and when the first of it was lost."""

    def __init__(self) -> None:
        self.packets: list[SpeechChunk] = []
        self.came = asyncio.Event()
        self.lost = False

    def push(self, packet: SpeechChunk) -> None:
        if self.lost:
            raise PlaybackLost("gone")
        self.packets.append(packet)
        self.came.set()

    @property
    def audio(self) -> bytes:
        return b"".join(packet.audio for packet in self.packets)


def pieces(count: int, sentence: int = 0) -> list[SpeechChunk]:
    return [
        SpeechChunk(sentence, PIECE, (SpokenWord(f"w{place}", 60 * place, 60 * place + 50),), last=place == count - 1)
        for place in range(count)
    ]


async def test_first_pieces_go_one_by_one_and_later_ones_together() -> None:
    gateway = Gateway()
    packer = Packer(gateway.push)
    for piece in pieces(100):
        packer.add(piece)
    assert [len(packet.audio) for packet in gateway.packets[:10]] == [480] * 10
    assert len(gateway.packets) < 40
    assert gateway.audio == PIECE * 100
    assert [word.text for packet in gateway.packets for word in packet.words] == [f"w{place}" for place in range(100)]
    assert [packet.last for packet in gateway.packets].count(True) == 1


async def test_a_packet_holds_one_sentence() -> None:
    gateway = Gateway()
    packer = Packer(gateway.push)
    for sentence in range(6):
        for piece in pieces(7, sentence):
            packer.add(piece)
    assert [packet.sentence for packet in gateway.packets if packet.last] == list(range(6))
    assert gateway.audio == PIECE * 42


async def test_what_has_come_goes_soon_though_nothing_follows() -> None:
    gateway = Gateway()
    packer = Packer(gateway.push)
    for piece in pieces(12)[:-1]:
        packer.add(piece)
    while len(gateway.audio) < 11 * len(PIECE):
        gateway.came.clear()
        await asyncio.wait_for(gateway.came.wait(), 15)
    assert gateway.audio == PIECE * 11


async def test_a_gateway_that_is_lost_while_pieces_wait_is_told_with_the_next() -> None:
    gateway = Gateway()
    packer = Packer(gateway.push)
    for piece in pieces(12)[:-1]:
        packer.add(piece)
    gateway.lost = True
    with pytest.raises(PlaybackLost):
        packer.add(pieces(12)[-1])
