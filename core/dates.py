"""Dates as they are said, by language. One that is not here has its dates told as they are written."""

import re
from datetime import date
from typing import Final

_FORMS: Final = {
    "en": "{month} {day}, {year}",
    "de": "{day}. {month} {year}",
    "es": "{day} de {month} de {year}",
    "fr": "{day} {month} {year}",
    "hi": "{day} {month} {year}",
    "it": "{day} {month} {year}",
    "ja": "{year}年{number}月{day}日",
    "ko": "{year}년 {number}월 {day}일",
    "nl": "{day} {month} {year}",
    "pl": "{day} {month} {year}",
    "pt": "{day} de {month} de {year}",
    "ru": "{day} {month} {year} года",
    "sv": "{day} {month} {year}",
    "tr": "{day} {month} {year}",
    "uk": "{day} {month} {year} року",
    "zh": "{year}年{number}月{day}日",
}
_MONTHS: Final = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "hi": "जनवरी फ़रवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर अक्टूबर नवंबर दिसंबर",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "sv": "januari februari mars april maj juni juli augusti september oktober november december",
    "tr": "Ocak Şubat Mart Nisan Mayıs Haziran Temmuz Ağustos Eylül Ekim Kasım Aralık",
    "uk": "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
}
_FIRST: Final = {"fr": "1er"}


def spoken_date(day: date, language: str) -> str:
    """The date as it is said in the language."""
    short = language.partition("-")[0]
    if short not in _FORMS:
        return day.isoformat()
    first = _FIRST.get(short) if day.day == 1 else None
    month = _month(day, short)
    return _FORMS[short].format(year=day.year, number=day.month, month=month, day=first or day.day)


def tells_date(heard: str, day: date, language: str) -> bool:
    """Whether the words name this day and month: in the language, in English or as it is written. Unsure is no."""
    return day.isoformat() in heard or any(_names(heard, day, one) for one in {language.partition("-")[0], "en"})


def _names(heard: str, day: date, language: str) -> bool:
    month = _month(day, language)
    if not month:
        form = _FORMS.get(language, "").partition("{number}")[2]
        told = rf"(?<!\d){day.month}" + re.escape(form.replace("{day}", str(day.day))) if form else r"(?!)"
        return re.search(told, heard) is not None
    in_words = re.search(rf"(?<!\w){re.escape(month.casefold())}(?!\w)", heard.casefold())
    return in_words is not None and re.search(rf"(?<!\d){day.day}(?!\d)", heard) is not None


def _month(day: date, language: str) -> str:
    """Its name; "" where months have numbers."""
    return _MONTHS[language].split()[day.month - 1] if language in _MONTHS else ""
