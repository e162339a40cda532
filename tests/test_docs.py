"""
The examples in the documents, run or compared as they stand.

What a fenced block is for stands in its first line:

    console               commands after "$ " and what they print ("..." stands for anything)
    console background    one command that goes on while the rest of the document runs
    shell                 commands proven elsewhere (installation: tests/test_packaging.py)
    LANGUAGE file NAME    written to the folder in which the document's commands run
    LANGUAGE from PATH    an excerpt of a file of the repository, word for word
    text                  nothing to be proven
"""

from __future__ import annotations

import contextlib
import doctest
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
FENCE = re.compile(r"^( *)```(\S[^\n]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
KINDS = ("console", "console background", "shell", "text")


class Block(NamedTuple):
    """A fenced block: its first line's words, its text, and where it stands."""

    info: str
    text: str
    line: int


class Example(NamedTuple):
    """A command and what it has to print."""

    command: str
    expected: str


def blocks(document: Path) -> list[Block]:
    """Every fenced block of a document."""
    text = document.read_text(encoding="utf-8")
    return [
        Block(found[2].strip(), textwrap.dedent(found[3]), text[: found.start()].count("\n") + 1)
        for found in FENCE.finditer(text)
    ]


def examples(text: str) -> list[Example]:
    """Commands with the lines that follow each; a trailing backslash continues a command."""
    found: list[Example] = []
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("$ "):
            command = line[2:]
            while command.endswith("\\"):
                command = command[:-1] + next(lines).strip()
            found.append(Example(command, ""))
        else:
            assert found, f"output without a command: {line}"
            found[-1] = found[-1]._replace(expected=f"{found[-1].expected}{line}\n")
    return found


def matches(actual: str, expected: str) -> bool:
    """Whether the output is as written, "..." standing for anything, blanks counting as one."""
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    return doctest.OutputChecker().check_output(expected, actual, flags)


class Session:
    """The folder and the environment in which one document's commands run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.background: list[subprocess.Popen[str]] = []
        programs = Path(sys.executable).parent
        self.environment = {
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "COLUMNS": "100",
            "NO_COLOR": "1",
        }

    def run(self, example: Example) -> None:
        """Run a command to its end and compare what it printed."""
        done = subprocess.run(
            ["bash", "-c", example.command],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=100,
        )
        assert matches(done.stdout, example.expected), (
            f"$ {example.command}\nexpected:\n{example.expected}\ngot:\n{done.stdout}"
        )

    def start(self, example: Example) -> None:
        """Start a command and wait until it has printed what it has to."""
        log = self.folder / f"background-{len(self.background)}.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {example.command}"],
                cwd=self.folder,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        self.background.append(process)
        deadline = time.monotonic() + 15
        while not matches(log.read_text(), example.expected):
            assert process.poll() is None, f"$ {example.command}\n{log.read_text()}"
            assert time.monotonic() < deadline, f"$ {example.command}\ngot:\n{log.read_text()}"
            time.sleep(0.05)

    def close(self) -> None:
        """End what runs in the background."""
        for process in self.background:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=15)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    session = Session(tmp_path)
    yield session
    session.close()


def documents_with(*kinds: str) -> list[object]:
    return [
        pytest.param(document, id=document.relative_to(ROOT).as_posix())
        for document in DOCUMENTS
        if any(block.info.startswith(kinds) for block in blocks(document))
    ]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("document", documents_with("console"))
def test_commands_print_what_is_shown(document: Path, session: Session) -> None:
    """Top to bottom in one fresh folder, as a reader would."""
    for block in blocks(document):
        words = block.info.split()
        if words[1:2] == ["file"]:
            (session.folder / words[2]).write_text(block.text, encoding="utf-8")
        elif block.info == "console background":
            (example,) = examples(block.text)
            session.start(example)
        elif block.info == "console":
            for example in examples(block.text):
                session.run(example)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_block_is_of_a_known_kind(document: Path) -> None:
    """No example escapes by a first line that nobody reads."""
    unknown = [
        f"{document.name}:{block.line}: {block.info}"
        for block in blocks(document)
        if block.info not in KINDS and block.info.split()[1:2] not in (["file"], ["from"])
    ]
    assert unknown == []


@pytest.mark.parametrize(
    ("path", "excerpt"),
    [
        pytest.param(block.info.split()[2], block.text, id=f"{document.name}:{block.line}")
        for document in DOCUMENTS
        for block in blocks(document)
        if block.info.split()[1:2] == ["from"]
    ],
)
def test_excerpts_stand_in_their_files(path: str, excerpt: str) -> None:
    """Code in a document is code that runs."""
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    size = excerpt.count("\n")
    windows = ("\n".join(lines[at : at + size]) + "\n" for at in range(len(lines)))
    assert any(textwrap.dedent(window) == excerpt for window in windows)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    """Every relative link is a file of the repository."""
    links = LINK.findall(document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_every_dependency_is_explained() -> None:
    """One line for each requirement of the package in docs/dependencies.md."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    names = re.findall(r'^ +"([A-Za-z0-9-]+)[\[>]', project, re.MULTILINE)
    explained = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    assert len(names) >= 15
    assert [name for name in names if not re.search(rf"\b{name}\b", explained)] == []


def test_output_that_differs_is_seen() -> None:
    """The comparison itself can say no."""
    assert matches("ready http://127.0.0.1:80\n", "ready http://...\n")
    assert not matches("ready\n", "steady\n")
    assert not matches("one\ntwo\n", "one\n")
