"""Who is told what, when: the fold of `sla.notices.v1`. See `sla.dispatch.fold`."""

from sla.dispatch.fold import DecodeNotice, Dispatch
from sla.dispatch.records import Escalated, Notice, NoticesRecord, Send

__all__ = [
    "DecodeNotice",
    "Dispatch",
    "Escalated",
    "Notice",
    "NoticesRecord",
    "Send",
]
