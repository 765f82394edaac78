"""Rules about the repository itself: what a reviewer would otherwise have to look for."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer.main

from agents.__main__ import ROLES
from agents.metrics import MEANING
from agents.role import FoldRole, Role, changelog_of
from agents.settings import Settings
from forewarn.cli import app as command_line
from schemas.generate import TOPICS, topics_text
from schemas.topics import ALL, BY_NAME, LATER, TABLE, Topic, application_of
from sla.units import DAY_MS

ROOT = Path(__file__).parent.parent
PRODUCT = ("sla", "schemas", "agents", "notifiers", "forewarn")
OURS = (*PRODUCT, "bench")
MODULE_LINES_MAX = 300
FUNCTION_LINES_MAX = 70
README_LINES_MAX = 150
GENERATED = re.compile(r"(^|/)(uv\.lock|requirements.*\.lock)$|/generated/|^LICENSE$")

# Spelled so that this file does not find itself.
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
STUB = re.compile(r"NotImplemented" + r"Error")
MACHINE = re.compile(r"(?<![\w./$}])/(root|home/\w+|Users/\w+|work|farm|private/tmp)/|/tmp/bash" + r"_jobs")


@cache
def files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("the files of the repository are known to git alone, and this is no clone")
    return [path for name in listed.stdout.splitlines() if (path := ROOT / name).is_file()]


def texts() -> Iterator[tuple[str, str]]:
    for path in files():
        name = str(path.relative_to(ROOT))
        if not GENERATED.search(name) and path.suffix not in {".gz", ".png", ".csv", ".bin"}:
            yield name, path.read_text(encoding="utf-8")


def modules(*packages: str) -> list[Path]:
    return [path for path in files() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in packages]


def lines_where(pattern: re.Pattern[str], names: re.Pattern[str] = re.compile("")) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()}"
        for name, text in texts()
        if names.search(name)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


# -- the map is the territory


def table(title: str) -> list[list[str]]:
    """The rows of the table under a heading of topology.md, without head and rule."""
    text = (ROOT / "topology.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section, f"topology.md has no section {title!r}"
    rows = [line for line in section[1].splitlines() if line.startswith("|")]
    return [[cell.strip().replace("`", "") for cell in row.strip("|").split("|")] for row in rows[2:]]


def kept(topic: Topic) -> str:
    if topic.retention_ms is None:
        return "compacted"
    return "for ever" if topic.retention_ms < 0 else f"{topic.retention_ms // DAY_MS} d"


def roles() -> list[Role]:
    return [importlib.import_module(f"agents.{name}").ROLE for name in ROLES]


def test_the_map_holds_every_topic_as_the_code_declares_it() -> None:
    declared = [
        [
            topic.name,
            topic.key,
            str(topic.partitions or "all"),
            kept(topic),
            "broker" if topic.append_time else "producer",
            ", ".join(topic.writers),
            ", ".join(topic.readers),
        ]
        for topic in ALL
    ]
    assert table("Topics") == declared


def test_the_map_names_the_topics_that_come_later() -> None:
    assert [row[:2] for row in table("Topics that come later")] == [[topic.name, topic.key] for topic in LATER]


def own_topics(role: Role) -> set[str]:
    """What a role writes for itself alone: ticks and forwarded records in its source, and its changelog."""
    return {role.source, changelog_of(role) or role.source}


def test_the_map_holds_every_role() -> None:
    declared = [
        [
            role.name,
            role.source,
            ", ".join(name for name in role.writes if name not in own_topics(role)) or "–",
            application_of(role.name),
            TABLE if changelog_of(role) else "–",
        ]
        for role in roles()
    ]
    assert [row[:5] for row in table("Roles")] == declared


def test_the_map_holds_the_timers_with_their_values() -> None:
    for row in table("Timers"):
        place, value = row[0], row[1]
        module, _, name = place.rpartition(".")
        found = (
            Settings.model_fields[name.lower()].default
            if module == "environment"
            else getattr(importlib.import_module(module), name)
        )
        assert float(value.split()[0]) == float(found), place


@pytest.mark.parametrize("name", ROLES)
def test_a_role_reads_and_writes_what_its_topics_say(name: str) -> None:
    (role,) = [role for role in roles() if role.name == name]
    changelog = changelog_of(role)
    reads = {role.source, changelog or role.source}
    if isinstance(role, FoldRole) and role.catalogue_log is not None:
        reads.add("sla.catalogue.v1")
    assert {topic.name for topic in ALL if name in topic.readers} == reads
    writers = {topic.name for topic in ALL if name in topic.writers}
    assert writers == set(role.writes)
    # A fold's role writes ticks into its source and heads into its changelog; who keeps something writes heads alone.
    own = own_topics(role) if isinstance(role, FoldRole) else own_topics(role) - {role.source}
    assert writers & own_topics(role) == own


def test_no_module_names_a_topic_that_is_not_declared() -> None:
    named = {
        name
        for path in modules(*PRODUCT)
        for name in re.findall(r"\"(sla\.[a-z.]+\.v\d+)\"", path.read_text(encoding="utf-8"))
    }
    assert named <= BY_NAME.keys()


def test_every_metric_is_documented_and_every_documented_metric_is_there() -> None:
    documented = re.findall(
        r"^\| `forewarn_(\w+)` \| (\w+) \|", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE
    )
    assert dict(documented) == {metric.value: kind for metric, (kind, _) in MEANING.items()}


# -- code


@pytest.mark.parametrize("name", PRODUCT)
def test_a_top_level_package_is_ours(name: str) -> None:
    """`agents` and `schemas` are common words: another distribution of that name would be imported in our place."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).parent == ROOT / name
    assert set(importlib.metadata.packages_distributions().get(name, [])) <= {"forewarn"}


def test_a_module_is_one_idea() -> None:
    counts = {path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines()) for path in modules(*OURS)}
    assert [f"{path}: {count} lines" for path, count in counts.items() if count > MODULE_LINES_MAX] == []


def functions(*packages: str) -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in modules(*packages):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path.relative_to(ROOT), node


def test_a_function_fits_on_a_screen() -> None:
    long = [
        f"{path}:{node.lineno}: {node.name}"
        for path, node in functions(*OURS)
        if (node.end_lineno or node.lineno) - node.lineno + 1 > FUNCTION_LINES_MAX
    ]
    assert long == []


def test_no_exception_is_swallowed() -> None:
    swallowed = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in modules(*OURS)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler) and all(isinstance(step, ast.Pass) for step in node.body)
    ]
    assert swallowed == []


def test_nothing_is_unfinished() -> None:
    assert lines_where(UNFINISHED, re.compile(r"\.(py|md|ya?ml|toml|sh)$|Makefile|Dockerfile")) == []
    assert lines_where(STUB, re.compile(rf"^({'|'.join(OURS)})/.*\.py$")) == []


def test_no_path_of_somebodys_machine_is_committed() -> None:
    assert lines_where(MACHINE) == []


# -- tests


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def test_no_test_sleeps() -> None:
    """`tests.harness.wait_for` waits for what is awaited; `asyncio.sleep(0)` only lets others run.

    The simulation's time is virtual: a sleep there takes none, and is what it simulates. So it is in the chaos's proxy,
    which makes what passes late.
    """
    sleeps = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in modules("tests")
        if "simulation" not in path.parts and path.parts[-2:] != ("chaos", "proxy.py")
        for name, call in calls(path)
        if re.fullmatch(r"(time\.|asyncio\.|trio\.|anyio\.)?sleep", name)
        and not (call.args and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0)
    ]
    assert sleeps == []


def test_whatever_is_skipped_says_why() -> None:
    silent = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in modules("tests")
        for name, call in calls(path)
        if re.fullmatch(r"pytest\.(mark\.)?(skip|skipif|xfail|importorskip)", name)
        and not any(keyword.arg == "reason" for keyword in call.keywords)
        and not (name in {"pytest.skip", "pytest.xfail"} and call.args)
    ]
    bare = lines_where(re.compile(r"@pytest\.mark\.(skip|xfail)\s*$"), re.compile(r"^tests/.*\.py$"))
    assert silent + bare == []


# -- documents


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_topic_settings_for_deployment_are_those_of_the_code() -> None:
    assert TOPICS.read_text() == topics_text(), "deploy/topics.yaml: run python -m schemas.generate"


def test_the_readme_is_short_and_begins_with_two_things_to_run() -> None:
    assert len(readme().splitlines()) < README_LINES_MAX
    first = re.search(r"```(?:sh|bash|console)?\n(.*?)```", readme(), re.DOTALL)
    assert first
    assert [line.split("#")[0].strip() for line in first[1].strip().splitlines()] == ["make demo", "make test"]


def documents() -> list[str]:
    return [name for name, _ in texts() if name.endswith(".md")]


def test_every_command_in_a_document_exists() -> None:
    known = set(typer.main.get_command(command_line).commands)  # type: ignore[attr-defined]
    named = {
        (name, command)
        for name in documents()
        for command in re.findall(r"(?:`|^|&& |\$ )forewarn ([a-z]+)\b", (ROOT / name).read_text(), re.MULTILINE)
    }
    assert {(name, command) for name, command in named if command not in known} == set()


def test_every_make_target_in_a_document_exists() -> None:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        (name, target)
        for name in documents()
        for target in re.findall(r"(?:`|^|\$ )make ([a-z]+)\b", (ROOT / name).read_text(), re.MULTILINE)
    }
    assert {(name, target) for name, target in named if target not in known} == set()


def test_every_link_between_documents_leads_somewhere() -> None:
    dead = [
        f"{name}: {target}"
        for name in documents()
        for target in re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", (ROOT / name).read_text())
        if not (ROOT / name).parent.joinpath(target).exists()
    ]
    assert dead == []


def test_every_decision_that_the_code_points_to_is_written_down() -> None:
    numbers = [path.name[:4] for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md")]
    assert sorted(numbers) == sorted(set(numbers))
    named = {
        number
        for _, text in texts()
        for match in re.findall(r"docs/decisions/(\d{4}(?:, \d{4})*)", text)
        for number in match.split(", ")
    }
    assert named <= set(numbers)


# -- the tools: quick enough to run each time


@pytest.mark.parametrize("arguments", [["check"], ["format", "--check"]], ids=["lint", "format"])
def test_ruff_finds_nothing(arguments: list[str]) -> None:
    ruff = subprocess.run(
        [sys.executable, "-m", "ruff", *arguments, "--output-format=concise", "."],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ruff.returncode == 0, ruff.stdout + ruff.stderr


def test_mypy_finds_nothing() -> None:
    types = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert types.returncode == 0, types.stdout + types.stderr


def test_the_arrows_between_packages_point_one_way() -> None:
    lint = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports"))], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert lint.returncode == 0, lint.stdout + lint.stderr
