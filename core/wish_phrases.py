"""The words by which callers ask to be talked with otherwise, by language. A language that is not here has none."""

from enum import StrEnum
from typing import Final


class Wish(StrEnum):
    """What a caller asks for."""

    SLOWER = "slower"
    FASTER = "faster"
    CLEARER = "clearer"  # hard of hearing
    TIME = "time"  # to find something
    NO_CALLS = "no_calls"  # never again


PATTERNS: Final = {
    "en": {
        Wish.NO_CALLS: (
            r"\b(?:do not|don't|never) (?:ever )?(?:call|phone|ring) (?:me|us|here|this number) (?:again|any ?more)\b",
            r"\bstop (?:calling|phoning|ringing)\b",
            r"\b(?:take|remove|delete) (?:me|us|my number|this number|my name) (?:off|from)\b",
            r"\bdo not call list\b",
            r"\bno more calls\b",
        ),
        Wish.SLOWER: (
            r"\bslow down\b",
            r"\b(?:speak|talk|go|say (?:it|that)) (?:a (?:bit|little) )?(?:more )?slow(?:er|ly)\b",
            r"\b(?:speak|talk|go)(?:ing)? (?:too|so|very) (?:fast|quickly)\b",
            r"^(?:a (?:bit|little) )?(?:slower|more slowly)\b",
        ),
        Wish.FASTER: (
            r"\b(?:speak|talk|go) (?:a (?:bit|little) )?(?:faster|more quickly)\b",
            r"\b(?:speak|talk|go)(?:ing)? (?:too|so|very) slow(?:ly)?\b",
            r"^(?:a (?:bit|little) )?faster\b",
        ),
        Wish.CLEARER: (
            r"\bhard of hearing\b",
            r"\b(?:speak|talk) (?:up|louder|more clearly)\b",
            r"\bi (?:can't|cannot|can not|don't) hear (?:you )?(?:very |so |that |too )?well\b",
        ),
        Wish.TIME: (
            r"\b(?:give me|wait|just) (?:a|one) (?:second|sec|moment|minute)\b",
            r"^(?:a|one) (?:second|sec|moment|minute)\b",
            r"\b(?:hold|hang) on\b|\bbear with me\b",
            r"\blet me (?:just )?(?:find|look|check|see|get|grab|think|fetch)\b",
        ),
    },
    "de": {
        Wish.NO_CALLS: (
            r"\b(?:rufen sie|ruft|ruf) (?:mich |uns |hier |bitte )*(?:nie|nicht) (?:wieder|mehr|noch einmal)\b",
            r"\bkeine (?:weiteren )?anrufe mehr\b",
            r"\b(?:nehmen|streichen|löschen) sie (?:mich|uns|meine nummer)\b",
        ),
        Wish.SLOWER: (r"\blangsamer\b", r"\bzu schnell\b"),
        Wish.FASTER: (r"\b(?:sprechen|reden|sprich|rede) (?:\w+ ){0,2}schneller\b", r"^schneller\b"),
        Wish.CLEARER: (
            r"\bschwerhörig\b",
            r"\b(?:lauter|deutlicher) (?:sprechen|reden)\b",
            r"\bhöre? (?:sie )?(?:so )?schlecht\b",
        ),
        Wish.TIME: (
            r"\b(?:einen?|nen?) (?:kleinen? )?(?:moment|augenblick|sekunde)\b",
            r"^(?:moment|sekunde|augenblick)\b",
            r"\blassen sie mich (?:\w+ )*(?:nachsehen|schauen|suchen)\b",
            r"\bich (?:schaue?|sehe?|suche?) (?:\w+ )?(?:kurz|nach)\b",
        ),
    },
    "es": {
        Wish.NO_CALLS: (
            r"\bno (?:me|nos) (?:llame|llamen|vuelva a llamar|vuelvan a llamar)(?: más| nunca)?\b",
            r"\bdejen? de llamar\b",
        ),
        Wish.SLOWER: (r"\bmás (?:despacio|lento)\b",),
        Wish.FASTER: (r"\bhable? más rápido\b", r"^más rápido\b"),
        Wish.CLEARER: (r"\bno (?:le |te )?oigo bien\b", r"\bhable? más (?:alto|fuerte|claro)\b"),
        Wish.TIME: (
            r"\bun (?:momento|segundo|minuto|momentito)\b",
            r"^espere?\b",
            r"\bdéjeme (?:buscar|ver"
            "|mirar)\b",
        ),
    },
    "fr": {
        Wish.NO_CALLS: (
            r"\bne (?:m'appelez|nous appelez|me rappelez|nous rappelez) (?:plus|jamais)\b",
            r"\b(?:arrêtez|cessez) de (?:m'|nous )?appeler\b",
            r"\bretirez moi de\b",
        ),
        Wish.SLOWER: (r"\bplus (?:lentement|doucement)\b", r"\bmoins vite\b"),
        Wish.FASTER: (r"\b(?:parlez|parler|parle) plus vite\b", r"^plus vite\b"),
        Wish.CLEARER: (
            r"\bmalentendante?\b",
            r"\b(?:parlez|parler|parle) plus fort\b",
            r"\bvous entends? (?:pas bien|mal)\b",
        ),
        Wish.TIME: (
            r"\b(?:un|une|deux) (?:instant|moment|secondes?|minutes?)\b",
            r"\battendez\b",
            r"\blaissez moi (?:chercher|regarder|voir)\b",
        ),
    },
}
"""What is looked for in the words, written small and without punctuation."""

PHRASES: Final = {
    "it": {
        Wish.NO_CALLS: "non mi chiami più|non chiamatemi più|non mi chiamate più|non richiamatemi|smettete di chiamare"
        "|smetta di chiamare",
        Wish.SLOWER: "più lentamente|più piano|più lento|parla troppo veloce|parli troppo veloce|rallenti|rallentare",
        Wish.FASTER: "parli più veloce|parlare più veloce|parli più in fretta|^più veloce|parla troppo piano",
        Wish.CLEARER: "parlare più forte|parli più forte|^più forte|ad alta voce|non la sento bene|non sento bene"
        "|sono duro d'orecchio",
        Wish.TIME: "un momento|un attimo|^un secondo|^un minuto|un istante|^aspetti|^attenda|mi faccia cercare"
        "|mi lasci vedere",
    },
    "pt": {
        Wish.NO_CALLS: "não me ligue mais|não me liguem mais|não me telefone mais|parem de ligar|pare de ligar"
        "|não liguem mais",
        Wish.SLOWER: "mais devagar|mais lentamente|muito rápido|fala rápido demais",
        Wish.FASTER: "fale mais rápido|falar mais rápido|fale mais depressa|falar mais depressa|^mais rápido"
        "|^mais depressa",
        Wish.CLEARER: "fale mais alto|falar mais alto|^mais alto|não ouço bem|não escuto bem"
        "|não estou ouvindo bem|não o ouço bem|não a ouço bem",
        Wish.TIME: "um momento|um momentinho|^um segundo|um instante|^um minuto|só um pouco|^espere|^espera"
        "|^aguarde|deixe me ver"
        "|deixa eu ver|deixa eu procurar|deixe me procurar",
    },
    "nl": {
        Wish.NO_CALLS: "bel me niet meer|belt u mij niet meer|niet meer bellen|stop met bellen|haal mij van de lijst",
        Wish.SLOWER: "langzamer|rustiger praten|rustiger spreken|te snel|trager praten|trager spreken",
        Wish.FASTER: "sneller praten|sneller spreken|praat sneller|spreek sneller|^sneller",
        Wish.CLEARER: "slechthorend|harder praten|harder spreken|luider|duidelijker praten|duidelijker spreken"
        "|ik hoor u niet goed|ik hoor u slecht",
        Wish.TIME: "een moment|een momentje|een ogenblik|een ogenblikje|^een seconde|momentje|ogenblikje"
        "|even geduld|wacht even"
        "|even kijken|even zoeken|even pakken",
    },
    "pl": {
        Wish.SLOWER: "wolniej|za szybko|zbyt szybko",
        Wish.FASTER: "mówić szybciej|mów szybciej|proszę szybciej|^szybciej",
        Wish.CLEARER: "głośniej|wyraźniej|słabo słyszę|źle słyszę|niedosłyszę",
        Wish.TIME: "chwileczkę|chwilkę|^chwila|jedną chwilę|^moment|momencik|^sekundę|sekundkę|minutkę"
        "|proszę poczekać|^poczekaj"
        "|już szukam|niech sprawdzę|zaraz sprawdzę",
    },
    "ru": {
        Wish.NO_CALLS: "больше не звоните|не звоните мне больше|перестаньте звонить|не звоните сюда",
        Wish.SLOWER: "помедленнее|медленнее|слишком быстро|не так быстро",
        Wish.FASTER: "говорите быстрее|говорите побыстрее|говорить быстрее|^быстрее|^побыстрее",
        Wish.CLEARER: "погромче|громче|плохо слышу|плохо вас слышу|плохо слышно|разборчивее",
        Wish.TIME: "минутку|минуточку|^секунду|секундочку|^одну минуту|^одну секунду|один момент|подождите"
        "|сейчас посмотрю"
        "|сейчас найду|дайте посмотреть|дайте найти",
    },
    "sv": {
        Wish.SLOWER: "långsammare|saktare|för fort|för snabbt",
        Wish.FASTER: "prata snabbare|tala snabbare|prata fortare|tala fortare|^snabbare|^fortare",
        Wish.CLEARER: "hör dåligt|hörselskadad|prata högre|tala högre|prata tydligare|tala tydligare"
        "|hör dig inte så bra",
        Wish.TIME: "ett ögonblick|^en sekund|^en minut|en liten stund|^vänta|vänta lite|låt mig se|låt mig leta"
        "|ska bara kolla|ska bara leta",
    },
    "tr": {
        Wish.SLOWER: "daha yavaş|biraz yavaş|yavaşlar mısınız|çok hızlı konuşuyorsunuz",
        Wish.FASTER: "daha hızlı konuşun|daha hızlı konuşur|^daha hızlı",
        Wish.CLEARER: "daha yüksek sesle|iyi duyamıyorum|iyi duymuyorum|daha net konuşur|işitme güçlüğü",
        Wish.TIME: "^bir dakika|^bir saniye|^bir an|bir saniyenizi|bekleyin|bekler misiniz|bir bakayım|hemen bakıyorum",
    },
    "uk": {
        Wish.SLOWER: "повільніше|надто швидко|занадто швидко|не так швидко",
        Wish.FASTER: "говоріть швидше|говорити швидше|^швидше",
        Wish.CLEARER: "голосніше|погано чую|погано вас чую|чіткіше",
        Wish.TIME: "хвилинку|хвилиночку|^секунду|секундочку|^одну хвилину|один момент|зачекайте|почекайте"
        "|зараз подивлюся"
        "|зараз знайду",
    },
    "hi": {
        Wish.NO_CALLS: "दोबारा फोन मत|फिर कभी फोन मत|फोन करना बंद|कॉल मत कीजिए|कॉल मत करना",
        Wish.SLOWER: "धीरे बोलिए|धीरे बोलिये|धीरे बोलें|धीरे धीरे|थोड़ा धीरे|बहुत तेज़ बोल|बहुत तेज बोल",
        Wish.FASTER: "जल्दी बोलिए|जल्दी बोलें|तेज़ी से बोलिए",
        Wish.CLEARER: "ज़ोर से बोलिए|जोर से बोलिए|ज़ोर से बोलें|ठीक से सुनाई नहीं|कम सुनाई",
        Wish.TIME: "^एक मिनट|^एक सेकंड|^एक सेकेंड|^एक क्षण|ज़रा रुकिए|जरा रुकिए|रुकिए|मुझे देखने दीजिए",
    },
    "ja": {
        Wish.NO_CALLS: "もう電話しないで|電話をかけないで|二度と電話|電話はやめて",
        Wish.SLOWER: "ゆっくり話|ゆっくりお話|ゆっくりお願い|もう少しゆっくり|もっとゆっくり|早口|速すぎ|早すぎ",
        Wish.FASTER: "もっと早く話|もっと速く話|もう少し早く話|もう少し速く話",
        Wish.CLEARER: "大きな声|大きい声|はっきり話|耳が遠い|よく聞こえ|聞き取れ",
        Wish.TIME: "ちょっと待って|少々お待ち|少し待って|待ってください|お待ちください|今探し|今確認し",
    },
    "zh": {
        Wish.SLOWER: "慢一点|慢一點|慢点|慢點|说慢|說慢|说得太快|說得太快|太快了",
        Wish.FASTER: "说快|說快|快一点说|快點說",
        Wish.CLEARER: "大声|大聲|听不清|聽不清|听不见|聽不見|听力不好|聽力不好",
        Wish.TIME: "等一下|稍等|等一等|等我|^一分钟|^一分鐘|我找一下|我看一下|我查一下",
    },
    "ko": {
        Wish.SLOWER: "천천히|너무 빨라|너무 빨리",
        Wish.FASTER: "더 빨리 말|빨리 말씀",
        Wish.CLEARER: "크게 말|잘 안 들려|안 들려요|또박또박",
        Wish.TIME: "잠시만|잠깐만|잠깐|기다려 주세요|기다려주세요|찾아볼게요|확인해 볼게요",
    },
}
"""As they are said, divided by "|"; "^": only as the first words, but for a "yes" or "sorry". In languages written
without spaces, and in Korean, whose endings are many, a phrase may be part of a word."""

WITHIN_WORDS: Final = frozenset(("ja", "zh", "ko"))
OPENERS: Final = (
    "oh um uh okay ok yes yeah sure well so please sorry ja oui sí si sì sim gut bien sim bom tak dobrze proszę "
    "przepraszam да ладно простите så evet tamam lütfen так добре хорошо oké ehm allora scusi desculpe sorry हाँ जी"
)
"""What may come before the first words of a wish."""
