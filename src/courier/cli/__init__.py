"""The command line: one file per command, each thin. Data goes to stdout, everything else to stderr."""

from __future__ import annotations

from courier.cli.main import main

__all__ = ["main"]
