"""All activities on the ports given: the one list that workers and tests are built from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from activities.after_call import AfterCallActivities
from activities.after_steps import AfterStepActivities
from activities.campaign import CallingDefaults, CampaignActivities
from activities.campaign_results import CampaignResultActivities
from activities.conversation import ConversationActivities
from activities.courier import Courier
from activities.crm import CrmActivities
from activities.crm_tools import CrmTools
from activities.feed import now_ms
from activities.knowledge_shelf import KnowledgeShelf
from activities.mood import MoodActivities
from activities.note_writing import NoteWriter
from activities.notes import AFTER_S, NotesActivities
from activities.playbook_shelf import PlaybookShelf
from activities.speech import SpeechActivities
from activities.spoken_lines import SpokenLines
from activities.step_audit import StepAuditActivities
from activities.step_learning import StepLearning
from activities.telephony import TelephonyActivities
from activities.tools import ToolActivities
from activities.transfer import TransferActivities
from core.ports.after_call import AfterCallStore, Messenger, WebhookBook, WebhookSender
from core.ports.call_log import CallFeed, CallStore
from core.ports.campaign import CallStarter, CampaignBook, DialGate
from core.ports.campaign_results import CampaignResults, ResultsTeller
from core.ports.crm import Crm
from core.ports.playback import LostCalls, PlaybackLine
from core.ports.playbooks import Playbooks
from core.ports.reasoner import Reasoner
from core.ports.speech import Recogniser, Voice
from core.ports.speech_cache import SpeechCache
from core.ports.step_examples import StepExamples
from core.ports.step_fits import StepFits
from core.ports.telephony import Telephony
from core.ports.tools import ToolKind


@dataclass(frozen=True)
class Ports:
    """What a worker needs of the outside."""

    reasoner: Reasoner
    voice: Voice
    line_voice: Voice  # for fixed lines: all text is there, so one request a sentence will do
    speech_cache: SpeechCache
    recogniser: Recogniser
    playback: PlaybackLine
    playbooks: Playbooks
    telephony: Telephony
    crm: Crm
    store: CallStore
    feed: CallFeed
    after_calls: AfterCallStore
    webhooks: WebhookBook
    webhook_sender: WebhookSender
    messenger: Messenger
    dial_gate: DialGate
    campaigns: CampaignBook
    call_starter: CallStarter
    campaign_results: CampaignResults
    results_teller: ResultsTeller
    calling: CallingDefaults = CallingDefaults()
    tools: Mapping[str, ToolKind] = field(default_factory=dict)  # by kind; the CRM's are always there
    step_fits: StepFits | None = None  # None: turns are compared with each example
    step_examples: StepExamples | None = None  # None: nothing is learnt from calls
    knowledge: KnowledgeShelf | None = None  # None: playbooks have no documents
    lost_calls: LostCalls | None = None  # None: the carrier alone tells of gateways that die
    clock: Callable[[], float] = now_ms  # ms since the epoch, for what is bound to hours
    notes_after_s: float = AFTER_S  # how long answers go before notes


@dataclass(frozen=True)
class Roster:
    """The activities of each task queue."""

    calls: list[Callable[..., Any]]
    after_calls: list[Callable[..., Any]]
    campaigns: list[Callable[..., Any]]


def roster(ports: Ports) -> Roster:
    """All activities."""
    kinds = {"operation": CrmTools(ports.crm), **ports.tools}
    shelf = PlaybookShelf(ports.playbooks, kinds, StepLearning(ports.step_fits, ports.step_examples))
    campaigns = CampaignActivities(
        ports.campaigns,
        ports.playbooks,
        ports.call_starter,
        ports.campaign_results,
        ports.results_teller,
        ports.calling,
        ports.clock,
    )
    return Roster(
        calls=[*_talk(ports, shelf), *_telephony(ports, shelf), *_tools(ports, shelf, kinds)],
        after_calls=_after_calls(ports, shelf),
        campaigns=[campaigns.open_round, campaigns.keep_phase],
    )


def _talk(ports: Ports, shelf: PlaybookShelf) -> list[Callable[..., Any]]:
    lines = SpokenLines(ports.line_voice, ports.speech_cache)
    writer = NoteWriter(ports.reasoner, shelf, ports.feed)
    conversation = ConversationActivities(
        ports.reasoner, ports.voice, ports.recogniser, lines, ports.playback, shelf, ports.feed, writer, ports.knowledge
    )
    speech = SpeechActivities(ports.line_voice, lines, ports.playback, shelf, ports.feed)
    mood = MoodActivities(ports.reasoner, shelf, ports.feed)
    notes = NotesActivities(writer, ports.store, ports.notes_after_s)
    return [
        conversation.finalize_transcript,
        conversation.match_step,
        conversation.reason_step,
        conversation.respond,
        mood.read_mood,
        notes.recall_caller,
        notes.take_notes,
        speech.speak_line,
    ]


def _telephony(ports: Ports, shelf: PlaybookShelf) -> list[Callable[..., Any]]:
    telephony = TelephonyActivities(ports.telephony, ports.feed, ports.dial_gate, ports.clock)
    transfer = TransferActivities(ports.reasoner, shelf, ports.feed)
    return [
        telephony.dial,
        telephony.look_up_dial,
        telephony.forbid_calls,
        telephony.hang_up,
        telephony.redirect_call,
        telephony.dial_representative,
        transfer.open_queue,
        transfer.write_briefing,
        transfer.note_transfer,
    ]


def _tools(ports: Ports, shelf: PlaybookShelf, kinds: Mapping[str, ToolKind]) -> list[Callable[..., Any]]:
    tools = ToolActivities(kinds, ports.playback, shelf, ports.feed, ports.reasoner)
    return [tools.run_tool, tools.undo_tool, tools.judge_confirmation]


def _after_calls(ports: Ports, shelf: PlaybookShelf) -> list[Callable[..., Any]]:
    courier = Courier(ports.webhooks, ports.webhook_sender)
    results = CampaignResultActivities(ports.campaign_results, courier)
    crm = CrmActivities(ports.crm, ports.store, ports.feed)
    after_call = AfterCallActivities(ports.store, ports.reasoner, shelf, ports.feed)
    audit = StepAuditActivities(ports.reasoner, shelf, ports.store, ports.step_examples)
    steps = AfterStepActivities(
        ports.after_calls, ports.webhooks, courier, ports.messenger, shelf, ports.feed, ports.clock
    )
    return [
        after_call.record_call,
        after_call.summarize_call,
        after_call.extract_fields,
        audit.audit_steps,
        crm.sync_crm,
        steps.plan_after_call,
        steps.await_crm_turn,
        steps.send_follow_up,
        steps.deliver_webhook,
        steps.keep_after_state,
        steps.set_aside,
        steps.open_letter,
        steps.close_letter,
        results.tell_results,
        results.results_seen_to,
    ]
