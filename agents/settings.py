"""Settings from the environment: read once, all errors at once, secrets never shown."""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, DirectoryPath, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from agents.log_clock import LogClock
from notifiers.addresses import Network, parse_networks
from notifiers.links import SECRET_SHORTEST

_UNITS_S: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)?")
_PLACE: Final = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\]):\d{1,5}")


class WrongSettings(Exception):  # noqa: N818 - it is the user's mistake, told in full
    """Every wrong setting, one per line, without any value that may be a secret."""


def seconds(text: object) -> object:
    """A duration such as `10s`, `500ms`, `2m`; a bare number is seconds."""
    if not isinstance(text, str):
        return text
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError("is no duration: write 500ms, 10s or 2m")
    return float(match[1]) * _UNITS_S[match[2] or "s"]


Seconds = Annotated[float, BeforeValidator(seconds)]


class Settings(BaseSettings):
    """What a worker is told from outside. Field names are the environment's, in small letters."""

    model_config = SettingsConfigDict(env_prefix="", case_sensitive=False, extra="ignore", hide_input_in_errors=True)

    kafka_bootstrap_servers: str
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_ssl_cafile: str | None = None
    redis_url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
    forewarn_cluster: Annotated[str, Field(min_length=1, max_length=200)] = "default"
    # Names this process among its like; with `forewarn_static_membership` it must outlive restarts.
    forewarn_worker_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")] | None = None
    forewarn_static_membership: bool = False
    forewarn_flush_interval: Annotated[Seconds, Field(ge=0.1, le=300)] = 10.0
    forewarn_start_deadline: Annotated[Seconds, Field(ge=1, le=3600)] = 60.0
    forewarn_stop_deadline: Annotated[Seconds, Field(ge=1, le=600)] = 25.0
    forewarn_session_timeout: Annotated[Seconds, Field(ge=1, le=60)] = 10.0
    forewarn_health_port: Annotated[int, Field(ge=0, le=65535)] = 0  # 0: no health server
    forewarn_log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    forewarn_clock: Annotated[LogClock, NoDecode] = LogClock()
    # Networks that channels may lead to though they are this machine, its link or a metadata service.
    forewarn_channels_allow: str = ""
    forewarn_secrets: Path = Path("/run/secrets/forewarn-channels")  # the folder of ${file:name}
    forewarn_templates: DirectoryPath | None = None  # templates that come before those that are shipped

    # Links in messages by which people answer: where they lead, and what they are signed with (32 characters at least).
    forewarn_link_url: Annotated[str, Field(pattern=r"^https?://[^\s?#]+$")] | None = None
    forewarn_link_secret: SecretStr | None = None
    forewarn_link_secret_file: Path | None = None

    @field_validator("kafka_bootstrap_servers")
    @classmethod
    def _places(cls, text: str) -> str:
        places = [place.strip() for place in text.split(",")]
        if not all(_PLACE.fullmatch(place) for place in places):
            raise ValueError("must be host:port, several separated by commas")
        return ",".join(places)

    @field_validator("forewarn_clock", mode="before")
    @classmethod
    def _clock(cls, text: object) -> object:
        return LogClock.parse(text) if isinstance(text, str) else text

    @field_validator("forewarn_channels_allow")
    @classmethod
    def _networks(cls, text: str) -> str:
        parse_networks(text)
        return text

    @field_validator("kafka_ssl_cafile")
    @classmethod
    def _certificates(cls, path: str | None) -> str | None:
        try:
            ssl.create_default_context(cafile=path)
        except OSError as error:  # what cannot be read, and what holds no certificate
            raise ValueError(f"no certificates can be read from {path}: {error.strerror or error}") from None
        return path

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, url: SecretStr) -> SecretStr:
        parts = urlsplit(url.get_secret_value())
        if parts.scheme not in {"redis", "rediss", "unix"}:
            raise ValueError("must begin with redis://, rediss:// or unix://")
        return url

    @model_validator(mode="after")
    def _together(self) -> Self:
        missing = []
        if self.kafka_security_protocol.startswith("SASL"):
            if not self.kafka_sasl_username:
                missing.append("KAFKA_SASL_USERNAME")
            if self.kafka_sasl_password is None:
                missing.append("KAFKA_SASL_PASSWORD")
        if self.forewarn_static_membership and not self.forewarn_worker_id:
            missing.append("FOREWARN_WORKER_ID")
        if missing:
            raise ValueError(f"needs {' and '.join(missing)} as well")
        secret = self.link_secret()
        if secret is not None and len(secret) < SECRET_SHORTEST:
            raise ValueError(f"the secret of links must have {SECRET_SHORTEST} characters at least")
        return self

    @property
    def bootstrap(self) -> list[str]:
        """The brokers, each host:port."""
        return self.kafka_bootstrap_servers.split(",")

    @property
    def channels_allowed(self) -> tuple[Network, ...]:
        """The networks that channels may lead to whatever they are."""
        return parse_networks(self.forewarn_channels_allow)

    def link_secret(self) -> str | None:
        """What links are signed with, from the environment or else from the file; None where neither is there.

        Raises ValueError for a file that cannot be read: at the start, when all settings are checked.
        """
        if self.forewarn_link_secret is not None:
            return self.forewarn_link_secret.get_secret_value()
        if self.forewarn_link_secret_file is None:
            return None
        try:
            return self.forewarn_link_secret_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"FOREWARN_LINK_SECRET_FILE cannot be read: {error}") from None

    def ssl_context(self) -> ssl.SSLContext | None:
        """The TLS settings, or None where the connection is not encrypted."""
        if not self.kafka_security_protocol.endswith("SSL"):
            return None
        return ssl.create_default_context(cafile=self.kafka_ssl_cafile)

    def client(self) -> dict[str, Any]:
        """What every aiokafka client needs to connect."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap,
            "security_protocol": self.kafka_security_protocol,
            "ssl_context": self.ssl_context(),
        }
        if self.kafka_sasl_password is not None and self.kafka_security_protocol.startswith("SASL"):
            options |= {
                "sasl_mechanism": self.kafka_sasl_mechanism,
                "sasl_plain_username": self.kafka_sasl_username,
                "sasl_plain_password": self.kafka_sasl_password.get_secret_value(),
            }
        return options

    def librdkafka(self) -> dict[str, Any]:
        """The same for a client of librdkafka."""
        config: dict[str, Any] = {
            "bootstrap.servers": self.kafka_bootstrap_servers,
            "security.protocol": self.kafka_security_protocol,
        }
        if self.kafka_ssl_cafile:
            config["ssl.ca.location"] = self.kafka_ssl_cafile
        if self.kafka_sasl_password is not None and self.kafka_security_protocol.startswith("SASL"):
            config["sasl.mechanism"] = self.kafka_sasl_mechanism
            config["sasl.username"] = self.kafka_sasl_username
            config["sasl.password"] = self.kafka_sasl_password.get_secret_value()
        return config


def read(**overrides: Any) -> Settings:
    """The settings of this process; `WrongSettings` names every mistake."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        lines = [_line(tuple(found["loc"]), found["type"], found["msg"]) for found in error.errors(include_input=False)]
        raise WrongSettings("\n".join(lines)) from None


def _line(place: tuple[object, ...], kind: str, message: str) -> str:
    if kind == "missing":
        return f"{str(place[0]).upper()}: is not set"
    what = message.removeprefix("Value error, ")
    return f"{str(place[0]).upper()}: {what}" if place else what
