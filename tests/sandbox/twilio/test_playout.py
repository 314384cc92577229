from hypothesis import given
from hypothesis import strategies as st

from sandbox.twilio.playout import Playout


def test_a_mark_returns_when_all_before_it_was_played() -> None:
    playout = Playout()
    playout.queue(b"a" * 300)
    assert not playout.mark("first")
    playout.queue(b"b" * 40)
    assert not playout.mark("second")
    assert playout.play(160).marks == ()
    step = playout.play(160)
    assert (step.audio, step.marks) == (b"a" * 140 + b"b" * 20, ("first",))
    assert playout.play(160).marks == ("second",)


def test_a_mark_on_an_empty_queue_returns_at_once() -> None:
    playout = Playout()
    assert playout.mark("now")
    playout.queue(b"a" * 160)
    playout.play(160)
    assert playout.mark("again")


def test_clear_drops_the_queue_and_returns_the_marks_it_drops() -> None:
    playout = Playout()
    playout.queue(b"a" * 320)
    playout.mark("heard")
    playout.play(320)
    playout.queue(b"b" * 800)
    playout.mark("dropped")
    playout.play(160)
    cleared = playout.clear()
    assert (cleared.dropped, cleared.marks) == (640, ("dropped",))
    assert playout.empty
    assert playout.play(160).audio == b""
    assert playout.clear().marks == ()


Steps = st.lists(
    st.one_of(
        st.tuples(st.just("queue"), st.integers(0, 500)),
        st.tuples(st.just("mark"), st.just(0)),
        st.tuples(st.just("play"), st.integers(1, 400)),
        st.tuples(st.just("clear"), st.just(0)),
    ),
    max_size=60,
)


@given(Steps)
def test_every_byte_is_played_once_in_order_or_dropped_and_every_mark_returns_once_in_its_place(
    steps: list[tuple[str, int]],
) -> None:
    playout = Playout()
    waiting: list[int | str] = []  # the model: each byte by number, each mark by name, in order
    count = 0

    def marks_now_due() -> list[str]:
        due = []
        while waiting and isinstance(waiting[0], str):
            due.append(str(waiting.pop(0)))
        return due

    for step, size in steps:
        match step:
            case "queue":
                audio = bytes((count + offset) % 251 for offset in range(size))
                waiting += [(count + offset) % 251 for offset in range(size)]
                count += size
                playout.queue(audio)
            case "mark":
                waiting.append(f"mark {count} {len(waiting)}")
                assert playout.mark(str(waiting[-1])) == bool(marks_now_due())
            case "play":
                expected, due = bytearray(), marks_now_due()
                while len(expected) < size and waiting:
                    expected.append(int(waiting.pop(0)))
                    due += marks_now_due()
                played = playout.play(size)
                assert (played.audio, list(played.marks)) == (bytes(expected), due)
            case "clear":
                cleared = playout.clear()
                assert list(cleared.marks) == [each for each in waiting if isinstance(each, str)]
                assert cleared.dropped == len(waiting) - len(cleared.marks)
                waiting.clear()
        assert playout.empty == (not any(isinstance(each, int) for each in waiting))
