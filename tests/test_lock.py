"""The locks say the same thing, and nothing about the machine that wrote them."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXPORTS = {
    "requirements.lock": "--no-default-groups",
    "requirements-dev.lock": "--all-groups",
    "requirements-build.lock": "--only-group=build",
}
EXACT = ("faust-streaming", "mode-streaming", "aiokafka")


def locked() -> list[dict[str, object]]:
    packages: list[dict[str, object]] = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    return packages


def test_every_locked_package_comes_from_the_public_index() -> None:
    sources = [package["source"] for package in locked() if package["name"] != "forewarn"]
    assert {str(source) for source in sources} == {"{'registry': 'https://pypi.org/simple'}"}


def test_every_locked_file_is_on_the_public_host() -> None:
    hosts = {re.sub(r"^(https?://[^/]+/).*", r"\1", url) for url in re.findall(r'url = "([^"]+)"', _text("uv.lock"))}
    assert hosts == {"https://files.pythonhosted.org/"}


@pytest.mark.parametrize("name", EXPORTS)
def test_an_exported_lock_names_no_index_and_no_folder(name: str) -> None:
    assert not re.search(r"--(extra-)?index-url|--find-links|file://|@ https?://|^/", _text(name), re.MULTILINE)


@pytest.mark.parametrize("name", EXPORTS)
def test_every_requirement_is_pinned_and_hashed(name: str) -> None:
    entries = re.split(r"\n(?=\S)", re.sub(r"^ *#.*\n", "", _text(name), flags=re.MULTILINE).strip())
    assert len(entries) >= 5
    for entry in entries:
        assert re.match(
            r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==\S+ (; .+)?\\\n( +--hash=sha256:[0-9a-f]{64}( \\)?\n?)+$", entry
        ), entry


@pytest.mark.parametrize("name", EXACT)
def test_what_the_transport_overrides_is_pinned_exactly_where_it_is_declared(name: str) -> None:
    declared = tomllib.loads(_text("pyproject.toml"))["project"]["dependencies"]
    (version,) = [str(package["version"]) for package in locked() if package["name"] == name]
    assert f"{name}=={version}" in declared


def test_the_lock_is_that_of_the_declared_dependencies() -> None:
    """Works without uv and without a network: what pyproject.toml asks for is what uv.lock was asked for."""
    project = tomllib.loads(_text("pyproject.toml"))
    (own,) = [package for package in locked() if package["name"] == "forewarn"]
    metadata = own["metadata"]
    assert isinstance(metadata, dict)
    groups = project["dependency-groups"]
    wanted = {"": project["project"]["dependencies"], "build": groups["build"], "dev": groups["build"] + groups["dev"]}
    wanted["dev"].remove({"include-group": "build"})
    asked = {"": metadata["requires-dist"], **metadata["requires-dev"]}
    for group, requirements in wanted.items():
        assert {_name(text) for text in requirements} == {entry["name"] for entry in asked[group]}, group
        for text in requirements:
            (entry,) = [entry for entry in asked[group] if entry["name"] == _name(text)]
            assert entry.get("specifier", "") in text, text


@pytest.mark.parametrize(("name", "groups"), EXPORTS.items())
def test_exporting_again_gives_the_same_lock(name: str, groups: str) -> None:
    uv = shutil.which("uv") or shutil.which("uv", path=str(ROOT / ".venv" / "bin"))
    if uv is None:
        pytest.skip("uv, which writes the locks, is not installed")
    command = [
        uv,
        "export",
        "--frozen",
        "--offline",
        "--quiet",
        "--no-emit-project",
        "--format",
        "requirements-txt",
        groups,
    ]
    exported = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert _requirements(exported) == _requirements(_text(name)), "make lock, and commit what it changed"


def _requirements(text: str) -> list[str]:
    # The heading repeats the command line, which names the output file; the rest must not differ.
    return [line for line in text.splitlines() if not line.lstrip().startswith("#")]


def _name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement
    return found[0].lower()


def _text(name: str) -> str:
    return (ROOT / name).read_text()
