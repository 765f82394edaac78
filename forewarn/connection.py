"""Where Kafka and Redis are, from the environment, as the command line's own clients want it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from forewarn.console import ExitCode, UserError

REDIS_DEFAULT: Final = "redis://127.0.0.1:6379/0"


def kafka_config() -> dict[str, Any]:
    """The settings of librdkafka, from the ones that the workers take; a `UserError` with all that is wrong."""
    from agents.settings import WrongSettings, read  # noqa: PLC0415 — pydantic is slow to load, and status needs none

    try:
        settings = read()
    except WrongSettings as error:
        wrong = "; ".join(str(error).splitlines())
        hint = "set KAFKA_BOOTSTRAP_SERVERS to host:port of a broker; `forewarn demo` brings its own"
        raise UserError(f"wrong settings: {wrong}", hint) from None
    return settings.librdkafka()


def redis_url(environment: Mapping[str, str] = os.environ) -> str:
    """Where the read model is."""
    return environment.get("REDIS_URL") or REDIS_DEFAULT


def redis_away(url: str, error: Exception) -> UserError:
    """What a user is told when Redis does not answer; a password in the URL is not shown."""
    shown = url.rpartition("@")[2] if "@" in url else url
    return UserError(f"no Redis answers at {shown}: {error}", "start it, or set REDIS_URL", ExitCode.REFUSES)
