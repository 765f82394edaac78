"""Ctrl-C while a record is on its way."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from forewarn.embedded import EmbeddedBroker
from forewarn.kafka import Record, Writer


def test_a_ctrl_c_in_the_producers_callback_is_a_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    def arrived(_writer: Writer, *_told: Any) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Writer, "_arrived", arrived)
    with EmbeddedBroker.start({"t": 1}) as broker:
        writer = Writer({"bootstrap.servers": broker.bootstrap})
        writer.put(Record("t", "key", b"{}"))
        with pytest.raises(KeyboardInterrupt):
            writer.flush()
