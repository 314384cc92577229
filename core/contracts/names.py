"""Names that outlive a deploy: workflow types, ids, queues, messages, activities, search attributes.

Histories and other programs hold on to these. They are written here once and never change.
"""

from typing import Final

NAMESPACE: Final = "default"

# Task queues: live calls never queue behind batch work.
CALLS_QUEUE: Final = "calls"
AFTER_CALLS_QUEUE: Final = "after-calls"
CAMPAIGNS_QUEUE: Final = "campaigns"

# Workflow types.
CALL_WORKFLOW: Final = "CallWorkflow"
AFTER_CALL_WORKFLOW: Final = "AfterCallWorkflow"
RESEND_WORKFLOW: Final = "ResendWorkflow"
CAMPAIGN_WORKFLOW: Final = "CampaignWorkflow"
CAMPAIGN_RESULTS_WORKFLOW: Final = "CampaignResultsWorkflow"
MESSAGE_WORKFLOW: Final = "MessageWorkflow"

# Messages of CallWorkflow: from the gateway.
ATTACH: Final = "attach"  # update: Attach -> Attached
CALLER_TURN: Final = "caller_turn"  # update: CallerTurn -> TurnAccepted
CALLER_TURN_AGAIN: Final = "caller_turn_again"  # signal: the same CallerTurn when the update was not accepted in time
TURN_WITHDRAWN: Final = "turn_withdrawn"  # signal: TurnWithdrawn
PLAYBACK_REPORT: Final = "playback_report"  # signal: PlaybackReport
REPLY_LOST: Final = "reply_lost"  # signal: ReplyLost
STREAM_ENDED: Final = "stream_ended"  # signal: StreamEnded
CALLER_SILENT: Final = "caller_silent"  # signal: CallerSilent
ANSWER_OVERDUE: Final = "answer_overdue"  # signal: AnswerOverdue
RECOGNISER_FAILED: Final = "recogniser_failed"  # signal: RecogniserFailed
GATEWAY_LOST: Final = "gateway_lost"  # signal of a worker: GatewayLost
FLOOR_TAKEN: Final = "floor_taken"  # signal: FloorTaken
SUPERVISOR_SAID: Final = "supervisor_said"  # signal: SupervisorSaid
FLOOR_GIVEN_BACK: Final = "floor_given_back"  # signal: FloorGivenBack

# Messages of CallWorkflow: from the API.
CARRIER_STATUS: Final = "carrier_status"  # signal: CarrierStatus
STREAM_STATUS: Final = "stream_status"  # signal: StreamStatus
DIAL_ENDED: Final = "dial_ended"  # signal: DialEnded, just before next_verb is asked again
NEXT_VERB: Final = "next_verb"  # update: -> NextVerb
REPRESENTATIVE_LEG: Final = "representative_leg"  # signal: RepresentativeLeg
REPRESENTATIVE_ASKS: Final = "representative_asks"  # update: RepresentativeAsks -> NextForRepresentative
SAY: Final = "say"  # update: Say
TRANSFER: Final = "transfer"  # update: Transfer
TAKE_OVER: Final = "take_over"  # update: TakeOver
END: Final = "end"  # update: End
STATE: Final = "state"  # query: -> CallState
TRANSCRIPT: Final = "transcript"  # query: -> list[TurnRecord]
DESK: Final = "desk"  # query: -> Desk

# Messages of AfterCallWorkflow: from the API. The query is STATE: -> AfterState.
RETRY_STEP: Final = "retry_step"  # update: RetryStep

# Messages of CampaignWorkflow: from the API. The query is STATE: -> CampaignState.
PAUSE_CAMPAIGN: Final = "pause"  # update
RESUME_CAMPAIGN: Final = "resume"  # update
CANCEL_CAMPAIGN: Final = "cancel"  # update
CAMPAIGN_CHANGED: Final = "changed"  # signal: its settings or contacts are not what they were

# Message of CampaignResultsWorkflow.
RESULTS_NEWS: Final = "news"  # signal: there may be more to tell, or another address to tell it to

# Activities.
OPEN_ROUND: Final = "open_round"
KEEP_PHASE: Final = "keep_phase"
FORBID_CALLS: Final = "forbid_calls"
MATCH_STEP: Final = "match_step"
REASON_STEP: Final = "reason_step"
READ_MOOD: Final = "read_mood"
TAKE_NOTES: Final = "take_notes"
RECALL_CALLER: Final = "recall_caller"
FINALIZE_TRANSCRIPT: Final = "finalize_transcript"
RESPOND: Final = "respond"
SPEAK_LINE: Final = "speak_line"
RUN_TOOL: Final = "run_tool"
UNDO_TOOL: Final = "undo_tool"
JUDGE_CONFIRMATION: Final = "judge_confirmation"
DIAL: Final = "dial"
LOOK_UP_DIAL: Final = "look_up_dial"
HANG_UP: Final = "hang_up"
REDIRECT_CALL: Final = "redirect_call"
OPEN_QUEUE: Final = "open_queue"
WRITE_BRIEFING: Final = "write_briefing"
DIAL_REPRESENTATIVE: Final = "dial_representative"
NOTE_TRANSFER: Final = "note_transfer"
RECORD_CALL: Final = "record_call"
SUMMARIZE_CALL: Final = "summarize_call"
SYNC_CRM: Final = "sync_crm"
PLAN_AFTER_CALL: Final = "plan_after_call"
EXTRACT_FIELDS: Final = "extract_fields"
AUDIT_STEPS: Final = "audit_steps"
AWAIT_CRM_TURN: Final = "await_crm_turn"
SEND_FOLLOW_UP: Final = "send_follow_up"
DELIVER_WEBHOOK: Final = "deliver_webhook"
KEEP_AFTER_STATE: Final = "keep_after_state"
SET_ASIDE: Final = "set_aside"
OPEN_LETTER: Final = "open_letter"
CLOSE_LETTER: Final = "close_letter"
TELL_RESULTS: Final = "tell_results"
RESULTS_SEEN_TO: Final = "results_seen_to"

# Search attributes, all Keyword. Plain text on the server: never personal data.
TENANT_ATTRIBUTE: Final = "HoldfastTenant"
CAMPAIGN_ATTRIBUTE: Final = "HoldfastCampaign"
PLAYBOOK_ATTRIBUTE: Final = "HoldfastPlaybook"
STEP_ATTRIBUTE: Final = "HoldfastStep"
PHASE_ATTRIBUTE: Final = "HoldfastPhase"
OUTCOME_ATTRIBUTE: Final = "HoldfastOutcome"
ESCALATED_ATTRIBUTE: Final = "HoldfastEscalated"
SEARCH_ATTRIBUTES: Final = (
    TENANT_ATTRIBUTE,
    CAMPAIGN_ATTRIBUTE,
    PLAYBOOK_ATTRIBUTE,
    STEP_ATTRIBUTE,
    PHASE_ATTRIBUTE,
    OUTCOME_ATTRIBUTE,
    ESCALATED_ATTRIBUTE,
)


def call_workflow_id(call_id: str) -> str:
    """The workflow of one call. ``call_id`` is the CallSid inbound, our own id outbound."""
    return f"call-{call_id}"


def after_call_workflow_id(call_id: str) -> str:
    """The workflow of what happens once the call has ended."""
    return f"after-call-{call_id}"


def resend_workflow_id(letter_id: str) -> str:
    """The workflow that does a dead letter's errand again."""
    return f"resend-{letter_id}"


def campaign_workflow_id(campaign_id: str) -> str:
    """The workflow of one campaign."""
    return f"campaign-{campaign_id}"


def campaign_results_workflow_id(campaign_id: str) -> str:
    """The workflow that tells a customer of a campaign's results."""
    return f"campaign-results-{campaign_id}"


def message_workflow_id(message_id: str) -> str:
    """The workflow of one message that its receiver has not taken."""
    return f"message-{message_id}"
