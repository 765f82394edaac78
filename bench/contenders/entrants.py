"""All contenders, in the order of a round."""

from __future__ import annotations

from typing import Final

from bench.contenders import kafka_streams
from bench.contenders.contender import Contender, module
from bench.contenders.quix import environment as quix

_HALF: Final = 0.5  # Kafka Streams reads all: its compiler needs a while to warm up
_FULL_FLUSH: Final = "5s"  # half of the default, so that a run of some seconds pays for it as well


BARE: Final = Contender("bare loop", module("bare"), share=_HALF)
STOCK: Final = Contender("stock Faust", module("stock_faust"), share=0.01)
STOCK_WITH_TABLE: Final = Contender(
    "stock Faust with a table", module("stock_faust"), share=0.006, environment={"BENCH_TABLE": "1"}
)
QUIX: Final = Contender("Quix Streams", quix.command, share=0.05)
KAFKA_STREAMS: Final = Contender("Kafka Streams", kafka_streams.command)
SHELL: Final = Contender(
    "Forewarn's shell",
    lambda: [*module("forewarn")(), "shell"],
    share=_HALF,
    environment={"FOREWARN_FLUSH_INTERVAL": "1s", "FOREWARN_LOG_LEVEL": "WARNING"},
)
FULL: Final = Contender(
    "Forewarn's full job",
    lambda: [*module("forewarn")(), "full"],
    share=_HALF,
    environment={"FOREWARN_FLUSH_INTERVAL": _FULL_FLUSH, "FOREWARN_LOG_LEVEL": "WARNING"},
)
TICKETS: Final = Contender(
    "Forewarn's clocks",
    lambda: [*module("forewarn")(), "tickets"],
    environment={"FOREWARN_FLUSH_INTERVAL": _FULL_FLUSH, "FOREWARN_LOG_LEVEL": "WARNING"},
)
ALL: Final = (BARE, STOCK, STOCK_WITH_TABLE, QUIX, KAFKA_STREAMS, SHELL, FULL)
