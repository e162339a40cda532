"""
The command line: finds a command, imports it when it runs, turns every end into an exit code.

0 good; 1 something failed; 2 wrong usage; 3 no judgement possible.
"""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click

import thingrig
from thingrig.errors import NoJudgement, UsageProblem
from thingrig.standard_output import outlive_readers

# Name and one line of help; the help stands here so that listing commands imports none of them.
COMMANDS = {
    "serve": "Run reference servers.",
    "run": "Play a scenario.",
    "replay": "Play a recorded trace again and tell what differs.",
    "certify": "Judge a target and write a certificate.",
    "requirements": "List the requirement catalogue.",
    "explain": "Tell everything about one requirement.",
    "clean": "Remove what an interrupted run left.",
    "study": "Do a published study of a network again.",
    "airtime": "Tell how long a LoRa frame is on air.",
    "frame": "Decode a LoRaWAN frame.",
    "trace": "Turn a trace into a capture for Wireshark.",
    "schema": "Print the JSON Schema of a file.",
    "doctor": "Tell what is missing or clashing in this installation.",
}

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class _Commands(click.Group):
    """The commands as a table; each is imported when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"thingrig.commands.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            names = ", ".join(COMMANDS)
            raise UsageProblem(f"expected a command ({names}); got {args[0]!r}{near(args[0])}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(thingrig.__version__, prog_name="thingrig")
def cli() -> None:
    """Hardware-in-the-loop simulator and conformance suite for IoT platforms."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and end the process with its exit code."""
    outlive_readers()
    sys.exit(exit_code(arguments))


def exit_code(arguments: Sequence[str] | None = None) -> int:
    """Run a command; what went wrong is one line on standard error."""
    from scenarios.files import FileError

    try:
        done = cli.main(args=arguments, prog_name="thingrig", standalone_mode=False)
        return done if isinstance(done, int) else 0
    except click.exceptions.NoArgsIsHelpError as problem:
        click.echo(problem.format_message(), err=True)  # a page of help is no one line
        return 2
    except click.UsageError as problem:
        return _ended(2, usage_words(problem))
    except (UsageProblem, FileError) as problem:
        return _ended(2, str(problem))
    except NoJudgement as problem:
        return _ended(3, str(problem))
    except (KeyboardInterrupt, click.Abort):
        return _ended(3, "interrupted")
    except Exception as problem:
        if isinstance(problem, OSError) and problem.errno in NO_ROOM:
            return _ended(3, "expected room for what is written; got a full disk, so it is cut off")
        # Our own mistake must not look like a failed requirement, which is exit code 1.
        traceback.print_exc()
        return 3


def usage_words(problem: click.UsageError) -> str:
    """What click objects to, on one line, with the nearest valid word."""
    where = problem.ctx.command_path if problem.ctx else "thingrig"
    if isinstance(problem, click.NoSuchOption) and problem.ctx:
        known = [name for each in problem.ctx.command.params for name in each.opts]
        got = problem.option_name
        return f"{where}: expected an option; got {got!r}{near(got, known)}"
    words = " ".join(problem.format_message().split()).rstrip(".")
    return f"{where}: {words[:1].lower()}{words[1:]}{_near_choice(problem)}"


def near(word: str, known: Iterable[str] = COMMANDS) -> str:
    """``; did you mean 'y'?``, or nothing."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def _near_choice(problem: click.UsageError) -> str:
    kind: Any = getattr(getattr(problem, "param", None), "type", None)
    words = problem.message.split("'")
    if not isinstance(kind, click.Choice) or len(words) < 2:
        return ""
    return near(words[1], [str(choice) for choice in kind.choices])


def _ended(code: int, words: str) -> int:
    line = " ".join(words.split())
    click.echo(f"thingrig: {line}", err=True)
    return code
