"""
A run inside pytest: what every process does, what a worker does, what the controller alone does.

The controller starts the embedded server, chooses the prefix, and writes results, ledger and trace.
"""

from __future__ import annotations

import json
import secrets as random_source
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from conformance.allure import redact_allure
from conformance.book import Book
from conformance.case import Case, error_line, verdict_of
from conformance.choice import Choice, Options, choose
from conformance.desk import ControllerDesk, connect, open_desk
from conformance.evidence import plain
from conformance.judge import Judge
from conformance.ledger import Ledger
from conformance.lifeline import end_with
from conformance.marks import ids_of
from conformance.outcomes import Inconclusive, NotApplicable, NotRun
from conformance.requirement import PACKAGE, unknown_id
from conformance.run import Run, worker_input
from conformance.targets import FEATURES, Target, from_document
from conformance.verdict import EXIT_CODES
from scenarios.files import FileError

CASE = pytest.StashKey[Case]()


class Session:
    """Judges the tests of one process."""

    run: Run
    choice: Choice

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    def is_test(self, item: pytest.Item) -> bool:
        """Whether an item belongs to the run."""
        return bool(item.get_closest_marker("requirement")) or PACKAGE in item.path.parents

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out tests none of whose requirements were chosen."""
        unwanted = [item for item in items if self.is_test(item) and not self._is_chosen(item)]
        if unwanted:
            self.config.hook.pytest_deselected(items=unwanted)
            items[:] = [item for item in items if item not in unwanted]

    def _is_chosen(self, item: pytest.Item) -> bool:
        ids = marked_ids(item)
        return not ids or any(
            each in self.choice.requirements or each not in self.choice.catalogue for each in ids
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Open the case; refuse to run what the target lacks or cannot be given."""
        if not self.is_test(item):
            return
        ids = marked_ids(item)
        known = self.choice.catalogue
        judge = Judge(
            [self.choice.requirements.get(each) or known[each] for each in ids if each in known],
            self.run.gone,
            lambda value: plain(value, self.run.secrets),
        )
        fixtures = list(getattr(item, "fixturenames", ()))
        first = len(self.run.exchanges)
        item.stash[CASE] = Case(self.run, test_name(item), ids, judge, fixtures, first)
        if not ids or any(each not in known for each in ids):
            raise LookupError(unknown_id(ids[0] if ids else "", known))
        self._check_needs(judge)

    def _check_needs(self, judge: Judge) -> None:
        if reason := self.run.desk.stopped():
            raise NotRun(f"the run was stopped: {reason}")
        needs = sorted({need for each in judge.requirements for need in each.needs})
        for need in needs:
            if need in self.run.target.lacks:
                raise NotApplicable(f"the target file declares that the target lacks {need}")
        for need in needs:
            if need in FEATURES and not FEATURES[need].is_present(self.run.target):
                raise NotRun(f"the target file has no {FEATURES[need].key}, nor lacks {need!r}")

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: Any, request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        """Keep what shared fixtures exchange as evidence for every test that uses them."""
        if fixturedef.scope == "function":
            return (yield)
        with self.run.sharing(fixturedef.argname):
            return (yield)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Turn each phase into the case's verdict; nothing of a report may hold a secret."""
        report = yield
        case = item.stash.get(CASE, None)
        if case is None:
            return report
        case.note(call.when, call.excinfo.value if call.excinfo else None, call.duration)
        self._clean(report, call)
        if call.when == "teardown":
            report.rig_result = json.dumps(case.result())  # type: ignore[attr-defined]
            report.rig_verdict = case.verdict  # type: ignore[attr-defined]
        return report

    def _clean(self, report: pytest.TestReport, call: pytest.CallInfo[None]) -> None:
        redact = self.run.secrets.redact
        report.sections = [(name, redact(text)) for name, text in report.sections]
        if call.excinfo is None or isinstance(report.longrepr, tuple):
            return
        if verdict_of(call.excinfo.value) == "error":
            report.longrepr = redact(report.longreprtext)
        else:
            report.longrepr = redact(f"{call.excinfo.typename}: {call.excinfo.value}")

    @pytest.fixture
    def requirement(self, request: pytest.FixtureRequest) -> Judge:
        """The judge of this test."""
        case: Case = request.node.stash[CASE]
        return case.judge


class Worker(Session):
    """One of several processes; the controller has told it everything."""

    def __init__(self, config: pytest.Config) -> None:
        super().__init__(config)
        told = json.loads(config.workerinput["thingrig"])  # type: ignore[attr-defined]
        workers = int(config.workerinput["workercount"])  # type: ignore[attr-defined]
        self.choice = choose(options(config))
        self.run = Run(
            target=from_document(told["target"], kind=told["kind"]),
            desk=connect(told["desk"]),
            prefix=told["prefix"],
            worker=config.workerinput["workerid"],  # type: ignore[attr-defined]
            jobs=workers,
            started=told["started"],
        )
        redact_allure(self.run.secrets)


class Controller(Session):
    """The only process, or the one that starts the others; the only one that writes."""

    def __init__(self, config: pytest.Config) -> None:
        super().__init__(config)
        self.resources = ExitStack()
        self.book: Book | None = None
        self.exit_code: int | None = None
        config.add_cleanup(self.resources.close)
        if (lifeline := config.option.rig_lifeline) is not None:
            end_with(lifeline)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Open the run: target, output folder, header, preflight; before any worker starts."""
        try:
            self.choice = choose(options(self.config))
            target = self._target()
            prefix = self.config.option.rig_prefix or f"rig-{random_source.token_hex(4)}-"
            out = self._out()
            ledger = self._ledger(out, target, prefix)
        except (FileError, LookupError, OSError) as problem:
            pytest.exit(one_line(problem), returncode=2)
        except Inconclusive as problem:
            pytest.exit(f"inconclusive: {problem}", returncode=3)
        self.resources.callback(ledger.close)
        self.run = Run(target, ControllerDesk(target, ledger), prefix)
        redact_allure(self.run.secrets)
        if self.config.option.collectonly:
            return
        self.book = self.resources.enter_context(Book(out, self.choice, self.run, ledger))
        self.book.open()
        if reason := self._preflight():
            self.book.finish(unreachable=reason)
            pytest.exit(f"inconclusive: {reason}", returncode=3)

    def _target(self) -> Target:
        if self.config.option.rig_target or self.config.option.collectonly:
            return self.choice.target
        from conformance.fixtures import built_in_target, embedded_target

        if url := self.config.option.rig_url:
            return built_in_target(self.choice.platform, url)
        return self.resources.enter_context(embedded_target(self.choice.platform))

    def _out(self) -> Path:
        given = self.config.option.rig_out
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        name = f"{stamp}-{self.choice.profile.replace('/', '-')}"
        return Path(given).resolve() if given else Path("out", name).resolve()

    def _ledger(self, out: Path, target: Target, prefix: str) -> Ledger:
        path = Path("/dev/null") if self.config.option.collectonly else out / "ledger.jsonl"
        header = {"platform": target.platform, "url": target.url, "prefix": prefix}
        return Ledger(path, header)

    def _preflight(self) -> str | None:
        try:
            return self.run.preflight()
        except (Inconclusive, NotRun) as problem:
            return str(problem)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a new worker what it needs."""
        if not hasattr(self, "_desk"):
            self._desk = open_desk(self.run.desk)  # type: ignore[arg-type]
        node.workerinput["thingrig"] = json.dumps(worker_input(self.run, self._desk))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be collected is our own error, for each of its requirements."""
        if report.failed and self.book is not None:
            reason = self.run.secrets.redact(report.longreprtext.strip().split("\n")[-1])
            self.book.add(error_line(report.nodeid, _ids_in(report.nodeid), reason), [])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write a test's line; a worker that died tells none, so we do."""
        if self.book is None:
            return
        told = getattr(report, "rig_result", None)
        if told is not None:
            result = json.loads(told)
            self.book.add(result["line"], result["events"])
        elif _is_crash(report):
            reason = "the process that ran this test died"
            name = report.nodeid
            self.book.add(error_line(name, ids_of(name), reason), [])

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Show our verdicts instead of pytest's words."""
        verdict = getattr(report, "rig_verdict", None)
        if verdict is None:
            return ("", "", "") if self.book is not None and not _is_crash(report) else None
        return verdict, _LETTERS[verdict], verdict.upper()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the footer, unless the run was interrupted; the exit code is the verdict's."""
        if self.book is None or (exitstatus == pytest.ExitCode.INTERRUPTED and not self._is_ours()):
            return
        decision = self.book.finish()
        session.exitstatus = EXIT_CODES[decision.outcome]
        self.exit_code = session.exitstatus

    def _is_ours(self) -> bool:
        """Whether pytest calls it interrupted only because a file could not be collected."""
        return self.book is not None and self.book.has_collection_errors

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The verdict, and where the results are."""
        if self.book is not None:
            terminalreporter.section("conformance")
            terminalreporter.line(self.book.verdict_line())
            terminalreporter.line(f"results: {self.book.path}")


_LETTERS = {
    "pass": ".", "fail": "F", "inconclusive": "I", "error": "E", "not applicable": "a",
    "not run": "n",
}  # fmt: skip


def options(config: pytest.Config) -> Options:
    """The plugin's options as the user wrote them."""
    given = config.option
    return Options(
        profile=given.rig_profile,
        target=given.rig_target,
        url=given.rig_url,
        only=tuple(given.rig_only),
        waivers=given.rig_waivers,
        catalogue=given.rig_catalogue,
        selected=_selected(config),
    )


def _selected(config: pytest.Config) -> str | None:
    """Why not every test of the profile is run."""
    given = config.option
    if given.keyword or given.markexpr or given.deselect:
        return "tests were selected by name or mark"
    if not given.rig_catalogue and not all(_is_whole(config, each) for each in config.args):
        return f"only {', '.join(config.args)}"
    return None


def _is_whole(config: pytest.Config, argument: str) -> bool:
    """Whether an argument names a platform's whole folder, or more."""
    name = argument.rstrip("/")
    if config.option.pyargs and name.split(".")[0] == PACKAGE.name:
        return name.count(".") <= 1 and "::" not in name
    path = Path(config.invocation_params.dir, name).resolve()
    return path == PACKAGE or path.parent == PACKAGE or path in PACKAGE.parents


def _is_crash(report: pytest.TestReport) -> bool:
    """Whether xdist made this report because the worker that ran the test died."""
    return str(report.when) == "???"


def marked_ids(item: pytest.Item) -> list[str]:
    """The ids of a test's marks, each once."""
    marks = item.iter_markers("requirement")
    return list(dict.fromkeys(str(name) for mark in marks for name in mark.args))


def test_name(item: pytest.Item) -> str:
    """The test's name from the package on, the same wherever pytest was started."""
    rest = item.nodeid.partition("::")[2]
    if PACKAGE in item.path.parents:
        return f"{item.path.relative_to(PACKAGE.parent).as_posix()}::{rest}"
    return item.nodeid


def one_line(problem: Exception) -> str:
    """An error's message; KeyError would put it in quotes."""
    return str(problem.args[0]) if isinstance(problem, LookupError) else str(problem)


def _ids_in(nodeid: str) -> list[str]:
    name = nodeid[nodeid.find(PACKAGE.name) :] if PACKAGE.name in nodeid else nodeid
    return list(dict.fromkeys(_every_id(name)))


def _every_id(file: str) -> Iterator[str]:
    from conformance.marks import marked_tests

    for test, ids in marked_tests().items():
        if test.startswith(file):
            yield from ids
