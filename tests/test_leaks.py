"""The detector of tests/leaks.py can fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.leaks import leaks_in

ROOT = Path(__file__).parents[1]
LEAKING = """
import pytest, sys

def test_prints():
    print("hello customer.1@" + "example.com")

def test_tells_the_log():
    import logging
    logging.warning("token shp" + "at_sandbox_1")

{mark}
def test_by_design():
    print("customer.2@" + "example.com", file=sys.stderr)
"""


def session(folder: Path, body: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(body)
    command = [sys.executable, "-m", "pytest", "-p", "tests.leaks", "-p", "no:cacheprovider", *options, str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_a_session_that_prints_a_value_fails_and_does_not_repeat_it(tmp_path: Path, options: tuple[str, ...]) -> None:
    """stdout and logs of passing tests are read, under xdist too; a marked test is left alone."""
    done = session(tmp_path, LEAKING.format(mark="@pytest.mark.prints_data"), *options)
    assert done.returncode == 1
    assert "test_prints (call) printed a customer's e-mail address" in done.stdout
    assert "test_tells_the_log (call) printed a credential" in done.stdout
    assert "test_by_design" not in done.stdout
    assert not leaks_in(done.stdout)


def test_a_clean_session_passes(tmp_path: Path) -> None:
    """No values, no failure."""
    assert session(tmp_path, "def test_prints():\n    print('500 customers')\n").returncode == 0


def test_what_is_found() -> None:
    """Credentials, addresses and phone numbers of the made-up shop; masked ones are none."""
    assert leaks_in("shpss_" + "abc") == ["a credential"]
    assert leaks_in("shpat_***") == []
    assert leaks_in("+1555" + "0000007") == ["a customer's phone number"]
