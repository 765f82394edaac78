"""Who is told what, when: the fold of `sla.notices.v1`. See `sla.dispatch.fold`."""

from sla.dispatch.fold import DecodeNotice, Dispatch
from sla.dispatch.outbox import send_id
from sla.dispatch.records import (
    Ack,
    Escalated,
    Notice,
    NoticesRecord,
    Reply,
    Send,
    Silence,
    Unack,
    Unsilence,
)

__all__ = [
    "Ack",
    "DecodeNotice",
    "Dispatch",
    "Escalated",
    "Notice",
    "NoticesRecord",
    "Reply",
    "Send",
    "Silence",
    "Unack",
    "Unsilence",
    "send_id",
]
