"""Reads what every test printed, and fails the session if a credential or a customer's value is among it.

A test that must print such a thing says so: `@pytest.mark.prints_data`. With `-s` nothing is captured, so nothing is
checked. What a child process prints is seen as far as the test prints it; tests.cli.process does so.
"""

from __future__ import annotations

import re

import pytest

PATTERNS = {
    "a credential": re.compile(r"\b(shp(at|ss|ca|pa|rt)|mvra_live|pg_made_up)_(?!\*)\w+"),
    "a customer's e-mail address": re.compile(r"\b[\w.+-]+@example\.(com|net|org)\b"),
    "a customer's phone number": re.compile(r"\+1555\d{7}\b"),
}
MARKER = "prints_data"


def leaks_in(text: str) -> list[str]:
    """What kinds of values that must never be printed the text holds. Never the values themselves."""
    return [kind for kind, pattern in PATTERNS.items() if pattern.search(text)]


class Detector:
    """Listens to the reports of all tests, those of xdist's workers included."""

    def __init__(self, *, worker: bool) -> None:
        self._worker = worker
        self._found: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if MARKER not in report.keywords:
            printed = "\n".join(text for _, text in report.sections)
            self._found += [f"{report.nodeid} ({report.when}) printed {kind}" for kind in leaks_in(printed)]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._found and not self._worker:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._found:
            terminalreporter.section("values that must never be printed", red=True)
            for line in sorted(set(self._found)):
                terminalreporter.write_line(line)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{MARKER}: exempts a test from tests/leaks.py")
    config.pluginmanager.register(Detector(worker=hasattr(config, "workerinput")), "leak-detector")
