"""How callers ask to be talked with."""

import pytest

from core.manner import Manner
from core.wish_phrases import PATTERNS, PHRASES, Wish
from core.wishes import FASTEST, LONGEST_PAUSE_MS, SLOWEST, asks_only_for_time, heed, wishes_in
from vendors.deepgram_stt import FLUX_LANGUAGES


@pytest.mark.parametrize(
    ("text", "language", "wishes"),
    [
        ("Could you slow down a little, please?", "en", {Wish.SLOWER}),
        ("Please speak more slowly.", "en-GB", {Wish.SLOWER}),
        ("You're talking too fast", "en", {Wish.SLOWER}),
        ("Slower, please.", "en", {Wish.SLOWER}),
        ("My internet has been slower since Monday", "en", set()),
        ("Can you speak a bit faster?", "en", {Wish.FASTER}),
        ("It should arrive faster", "en", set()),
        ("I'm a bit hard of hearing.", "en", {Wish.CLEARER}),
        ("Speak up!", "en", {Wish.CLEARER}),
        ("Give me a second.", "en", {Wish.TIME}),
        ("Okay, one moment please", "en", {Wish.TIME}),
        ("It takes one minute by car", "en", set()),
        ("Hold on, let me find it.", "en", {Wish.TIME}),
        ("Where is my order?", "en", set()),
        ("Können Sie bitte langsamer sprechen?", "de", {Wish.SLOWER}),
        ("Moment, ich schaue kurz nach", "de-AT", {Wish.TIME}),
        ("Un momento, por favor", "es", {Wish.TIME}),
        ("Parlez plus lentement s'il vous plaît", "fr", {Wish.SLOWER}),
        ("Può parlare più lentamente, per favore?", "it", {Wish.SLOWER}),
        ("Un attimo, cerco la lettera", "it", {Wish.TIME}),
        ("Sì, più veloce per favore", "it", {Wish.FASTER}),
        ("Il pacco è arrivato più veloce del solito", "it", set()),
        ("Ci vuole un minuto in macchina", "it", set()),
        ("Pode falar mais devagar, por favor?", "pt-BR", {Wish.SLOWER}),
        ("Só um momento", "pt", {Wish.TIME}),
        ("Onde está o meu pedido?", "pt", set()),
        ("Kunt u wat langzamer praten?", "nl", {Wish.SLOWER}),
        ("Ja, een momentje, even zoeken", "nl", {Wish.TIME}),
        ("Ik ben slechthorend", "nl", {Wish.CLEARER}),
        ("Waar is mijn bestelling?", "nl", set()),
        ("Proszę mówić wolniej", "pl", {Wish.SLOWER}),
        ("Chwileczkę, już szukam", "pl", {Wish.TIME}),
        ("Gdzie jest moja paczka?", "pl", set()),
        ("Говорите, пожалуйста, помедленнее", "ru", {Wish.SLOWER}),
        ("Одну минуту, сейчас найду", "ru", {Wish.TIME}),
        ("Я плохо вас слышу", "ru", {Wish.CLEARER}),
        ("Где мой заказ?", "ru", set()),
        ("Kan du prata långsammare?", "sv", {Wish.SLOWER}),
        ("Vänta, jag ska bara leta", "sv", {Wish.TIME}),
        ("Var är mitt paket?", "sv", set()),
        ("Biraz daha yavaş konuşur musunuz?", "tr", {Wish.SLOWER}),
        ("Bir saniye lütfen", "tr", {Wish.TIME}),
        ("Siparişim nerede?", "tr", set()),
        ("Говоріть повільніше, будь ласка", "uk", {Wish.SLOWER}),
        ("Зачекайте хвилинку", "uk", {Wish.TIME}),
        ("Де моє замовлення?", "uk", set()),
        ("कृपया थोड़ा धीरे बोलिए", "hi", {Wish.SLOWER}),
        ("एक मिनट रुकिए", "hi", {Wish.TIME}),
        ("मेरा ऑर्डर कहाँ है?", "hi", set()),
        ("もう少しゆっくり話してください", "ja", {Wish.SLOWER}),
        ("ちょっと待ってください", "ja", {Wish.TIME}),
        ("注文はどこですか", "ja", set()),
        ("请说慢一点", "zh", {Wish.SLOWER}),
        ("请稍等，我找一下", "zh", {Wish.TIME}),
        ("我的订单在哪里", "zh", set()),
        ("조금 천천히 말씀해 주세요", "ko", {Wish.SLOWER}),
        ("잠시만요", "ko", {Wish.TIME}),
        ("제 주문은 어디에 있나요", "ko", set()),
        ("slow down", "xx", set()),
        ("", "en", set()),
    ],
)
def test_wishes_are_known_by_their_words(text: str, language: str, wishes: set[Wish]) -> None:
    assert wishes_in(text, language) == wishes


@pytest.mark.parametrize(
    ("text", "only"),
    [
        ("Give me a second, I need to find the letter.", True),
        ("One moment.", True),
        ("One moment, who are you?", False),
        ("Slow down and give me a second.", False),
        ("Hold on, before that I would like to know why my parcel came two weeks late last time", False),
        ("48213", False),
    ],
)
def test_who_only_asks_for_time_wants_no_answer(text: str, only: bool) -> None:
    assert asks_only_for_time(text, "en") is only


@pytest.mark.parametrize("language", sorted(FLUX_LANGUAGES))
def test_every_language_of_the_live_recogniser_knows_every_wish(language: str) -> None:
    assert (PATTERNS | PHRASES)[language].keys() == set(Wish)


def test_slower_is_slower_each_time_and_not_without_end() -> None:
    once = heed(Manner(), frozenset({Wish.SLOWER}))
    assert (once.speed, once.pause_ms) == (0.88, 400)
    manner = once
    for _ in range(5):
        manner = heed(manner, frozenset({Wish.SLOWER}))
    assert (manner.speed, manner.pause_ms) == (SLOWEST, LONGEST_PAUSE_MS)


def test_faster_takes_slower_back() -> None:
    manner = heed(heed(Manner(), frozenset({Wish.SLOWER})), frozenset({Wish.FASTER}))
    assert (manner.speed, manner.pause_ms) == (1.0, 0)
    for _ in range(5):
        manner = heed(manner, frozenset({Wish.FASTER}))
    assert (manner.speed, manner.pause_ms) == (FASTEST, 0)


def test_who_is_hard_of_hearing_is_spoken_to_slowly_in_an_even_voice() -> None:
    manner = heed(Manner(language="de"), frozenset({Wish.CLEARER}))
    assert manner.speed < 1
    assert manner.clear
    assert manner.language == "de"


def test_time_to_find_something_changes_no_manner() -> None:
    assert heed(Manner(), frozenset({Wish.TIME})) == Manner()
