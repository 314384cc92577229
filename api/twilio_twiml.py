"""What Twilio is told to do with a leg, as TwiML. Pure: the same answer for the same facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from twilio.twiml.voice_response import Connect, Dial, Gather, VoiceResponse

from api.deps import ApiSettings

PAUSE_SECONDS = 2
DECIDE_SECONDS = 10  # after the briefing, for a representative to press a key
MAX_TRIES = 3  # then the caller goes to the overflow number


@dataclass(frozen=True)
class Answer:
    """A TwiML document and one word for it, which logs and figures use."""

    kind: str
    document: str


class Answers:
    """Writes the answers with this installation's addresses, numbers and lines."""

    def __init__(self, settings: ApiSettings) -> None:
        self._settings = settings
        self._lines = settings.lines

    def connect(self, call_id: str, token: str, line: str | None = None) -> Answer:
        """Open a media stream; when it ends, ask what is next, else the call would just end."""
        response = _response(line)
        connect = Connect()
        stream = connect.stream(
            url=f"{self._settings.media_url}/twilio/media",
            status_callback=self._url("stream", call_id=call_id),
            status_callback_method="POST",
        )
        stream.parameter(name="call_id", value=call_id)
        stream.parameter(name="token", value=token)
        response.append(connect)
        response.redirect(self._url("resume", call_id=call_id), method="POST")
        return _answer("connect", response)

    def dial(self, call_id: str, number: str, caller_id: str | None, line: str | None = None) -> Answer:
        """Put the caller through; when that leg is over, ask what is next."""
        response = _response(line)
        action = self._url("resume", call_id=call_id, dialled="1")
        response.append(Dial(number, action=action, method="POST", caller_id=caller_id))
        return _answer("dial", response)

    def confer(self, call_id: str, conference: str) -> Answer:
        """Put the caller into a conference with whoever waits there; when it is over, ask what is next."""
        response = VoiceResponse()
        dial = Dial(action=self._url("resume", call_id=call_id, dialled="1"), method="POST")
        dial.conference(conference, beep="false", start_conference_on_enter=True, end_conference_on_exit=True)
        response.append(dial)
        return _answer("confer", response)

    def brief(self, leg: Mapping[str, str], line: str, language: str) -> Answer:
        """Tell a representative who is waiting, and have them press a key; pressing none is an answer, too."""
        response = VoiceResponse()
        gather = Gather(
            action=self._url("representative", **leg, asked="1"),
            method="POST",
            num_digits=1,
            timeout=DECIDE_SECONDS,
            action_on_empty_result=True,
        )
        gather.say(line, **({"language": language} if language else {}))
        response.append(gather)
        return _answer("brief", response)

    def join(self, conference: str) -> Answer:
        """Put a representative into the conference; with them it ends, and their leg too."""
        response = VoiceResponse()
        dial = Dial()
        dial.conference(conference, beep="false", start_conference_on_enter=True, end_conference_on_exit=True)
        response.append(dial)
        response.hangup()
        return _answer("join", response)

    def wait(self, leg: Mapping[str, str], tries: int) -> Answer:
        """Temporal is away: have the representative's leg ask again, and put it down after the last try."""
        if tries >= MAX_TRIES:
            return self.hang_up()
        response = VoiceResponse()
        response.pause(length=PAUSE_SECONDS)
        response.redirect(self._url("representative", **leg, **{"try": str(tries + 1)}), method="POST")
        return _answer("wait", response)

    def hang_up(self, line: str | None = None) -> Answer:
        """End the leg."""
        response = _response(line)
        response.hangup()
        return _answer("hang_up", response)

    def busy(self) -> Answer:
        """We are full: the overflow number takes the call, or the caller hears the busy tone and is not charged."""
        if self._settings.overflow_number is not None:
            return self._see_off()
        response = VoiceResponse()
        response.reject(reason="busy")
        return _answer("busy", response)

    def unknown_number(self) -> Answer:
        """Nobody answers this number here."""
        return Answer("unknown_number", self.hang_up(self._lines.unknown_number).document)

    def hold(self, route: str, tries: int, call_id: str | None = None) -> Answer:
        """Keep the caller while something is away, and ask ``route`` again; after the last try see them off.

        Args:
            tries: which try this was, from 1.
        """
        if tries >= MAX_TRIES:
            return self._see_off()
        response = _response(self._lines.resume if route == "resume" else self._lines.hold)
        response.pause(length=PAUSE_SECONDS)
        query = {"call_id": call_id} if call_id else {}
        response.redirect(self._url(route, **query, **{"try": str(tries + 1)}), method="POST")
        return _answer("hold", response)

    def _see_off(self) -> Answer:
        if self._settings.overflow_number is None:
            return Answer("apology", self.hang_up(self._lines.apology).document)
        response = _response(self._lines.overflow)
        response.dial(self._settings.overflow_number)
        return _answer("overflow", response)

    def _url(self, route: str, **query: str) -> str:
        """Whole, because Twilio signs the URL as it stands in the document."""
        end = f"?{urlencode(query)}" if query else ""
        return f"{self._settings.public_url}/twilio/{route}{end}"


def _response(line: str | None) -> VoiceResponse:
    response = VoiceResponse()
    if line:
        response.say(line)
    return response


def _answer(kind: str, response: VoiceResponse) -> Answer:
    return Answer(kind, str(response))
