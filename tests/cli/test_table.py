"""Tables as text."""

from __future__ import annotations

from rich.cells import cell_len

from courier.cli.output import as_json, duration
from courier.cli.query import distinct
from courier.cli.table import lines


def test_nothing_in_a_cell_reaches_the_terminal_as_a_command() -> None:
    """Escape sequences and newlines are written out; wide characters keep the columns straight."""
    shown = lines(["name", "n"], [("\x1b[2Jgone\n", 1), ("日本", 22)], ["n"])
    assert shown[2].split() == ["\\x1b[2Jgone\\n", "1"]
    assert len({cell_len(line) for line in shown}) == 1


def test_a_window_cuts_the_widest_column_first() -> None:
    """No line is longer than the window while the columns can still be read."""
    shown = lines(["id", "note"], [(1, "x" * 200)], window=40)
    assert max(map(cell_len, shown)) == 40
    assert shown[2].endswith("…")


def test_durations_read_like_amperitys() -> None:
    """Hours, minutes and seconds in words."""
    assert duration(312) == "5 minutes 12 seconds"
    assert duration(3601) == "1 hour 1 second"
    assert duration(0.2) == "less than a second"


def test_json_is_json() -> None:
    """What is no number in JSON is text."""
    assert as_json({"n": float("nan")}) == '{"n": "nan"}'


def test_two_columns_of_one_name_stay_two() -> None:
    """Every column has a name of its own."""
    assert distinct(["id", "id", "id_2", "id"]) == ["id", "id_2", "id_2_2", "id_3"]
