"""Commands to paste: what a finding says is to be done, with this broker's address in it."""

from __future__ import annotations

from forewarn.kafka import Config
from schemas.topics import PARTITIONS_DEFAULT, ROLES_WITH_STATE, application_of, changelog_of


def set_on_topic(config: Config, topic: str, name: str, value: str) -> str:
    """Change one setting of a topic."""
    return (
        f"{_tool('kafka-configs.sh', config)} --alter --entity-type topics --entity-name {topic} "
        f"--add-config {_put(name, value)}"
    )


def set_on_brokers(config: Config, name: str, value: str) -> str:
    """Change one setting of all brokers, without a restart."""
    return (
        f"{_tool('kafka-configs.sh', config)} --alter --entity-type brokers --entity-default "
        f"--add-config {_put(name, value)}"
    )


def describe_topic(config: Config, topic: str) -> str:
    """Show where the copies of each partition are."""
    return f"{_tool('kafka-topics.sh', config)} --describe --topic {topic}"


def delete_topic(config: Config, topic: str) -> str:
    """Remove a topic with all that it holds."""
    return f"{_tool('kafka-topics.sh', config)} --delete --topic {topic}"


def begin_anew(config: Config, role: str, partitions_count: int | None) -> str:
    """Make a role, while it is stopped, forget how far it has read and what it made of that."""
    forget = f"{_tool('kafka-consumer-groups.sh', config)} --delete --group {application_of(role)}"
    if role not in ROLES_WITH_STATE:
        return forget
    return f"{delete_topic(config, changelog_of(role))} && {forget} && {create_topics(partitions_count)}"


def create_topics(partitions_count: int | None) -> str:
    """Make what is missing, with as many partitions as the others have."""
    chosen = "" if partitions_count in (None, PARTITIONS_DEFAULT) else f" --partitions {partitions_count}"
    return f"forewarn topics create{chosen}"


def _tool(name: str, config: Config) -> str:
    # A broker that asks for a name or a certificate asks Kafka's own tools for it too, in a file of the user's.
    secured = (
        "" if config.get("security.protocol", "PLAINTEXT") == "PLAINTEXT" else " --command-config client.properties"
    )
    return f"{name} --bootstrap-server {config['bootstrap.servers']}{secured}"


def _put(name: str, value: str) -> str:
    # Without brackets a comma would begin the next setting.
    return f"{name}=[{value}]" if "," in value else f"{name}={value}"
