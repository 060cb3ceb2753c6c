"""A cron expression in words: `30 6 * * *` is "At 06:30"."""

from __future__ import annotations


def cron_in_words(expression: str) -> str:
    """A valid five-field expression, in English, on a 24-hour clock."""
    # Imported here: only `plan` and `validate --verbose` say schedules in words.
    from cron_descriptor import ExpressionDescriptor, Options  # type: ignore[import-untyped]

    options = Options()
    options.use_24hour_time_format = True
    return str(ExpressionDescriptor(expression, options).get_description())
