"""Where Kafka and Redis are, from the environment, as the command line's own clients want it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from forewarn.console import ExitCode, UserError

REDIS_DEFAULT: Final = "redis://127.0.0.1:6379/0"

_KAFKA_OPTIONS: Final = {
    "KAFKA_SECURITY_PROTOCOL": "security.protocol",
    "KAFKA_SASL_MECHANISM": "sasl.mechanism",
    "KAFKA_SASL_USERNAME": "sasl.username",
    "KAFKA_SASL_PASSWORD": "sasl.password",
    "KAFKA_SSL_CAFILE": "ssl.ca.location",
}


def kafka_config(environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """The settings of librdkafka; `KAFKA_BOOTSTRAP_SERVERS` is required."""
    servers = environment.get("KAFKA_BOOTSTRAP_SERVERS", "").strip()
    if not servers:
        raise UserError(
            "KAFKA_BOOTSTRAP_SERVERS is not set",
            "set it to host:port of a broker; `forewarn demo` needs none, it brings its own",
        )
    config = {"bootstrap.servers": servers}
    for variable, option in _KAFKA_OPTIONS.items():
        if environment.get(variable):
            config[option] = environment[variable]
    return config


def redis_url(environment: Mapping[str, str] = os.environ) -> str:
    """Where the read model is."""
    return environment.get("REDIS_URL") or REDIS_DEFAULT


def redis_away(url: str, error: Exception) -> UserError:
    """What a user is told when Redis does not answer; a password in the URL is not shown."""
    shown = url.rpartition("@")[2] if "@" in url else url
    return UserError(f"no Redis answers at {shown}: {error}", "start it, or set REDIS_URL", ExitCode.REFUSES)
