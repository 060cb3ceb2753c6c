from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.config.yaml_nodes import Scalar, Span, core_scalar, parse, plain_data, split_lines, walk


@pytest.mark.parametrize("text", ["NO", "yes", "on", "12:30", "2026-10", "2024-01-01", "0x1f", "1_000", ".inf", "24h"])
def test_what_yaml_1_1_would_change_stays_text(text: str) -> None:
    assert core_scalar(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("FALSE", False),
        ("-12", -12),
        ("1.5", 1.5),
        ("1e3", 1e3),
    ],
)
def test_yaml_1_2_scalars(text: str, value: object) -> None:
    assert core_scalar(text) == value


def test_quoted_values_are_text() -> None:
    root, mistakes = parse("a: \"12\"\nb: 'null'\nc: |\n  true\n")
    assert root is not None
    assert not mistakes
    assert plain_data(root) == {"a": "12", "b": "null", "c": "true\n"}


def test_keys_are_text_as_written() -> None:
    """A column may be called `no`, `null` or `1`."""
    root, _ = parse("no: 1\nnull: 2\n1: 3\n")
    assert root is not None
    assert plain_data(root) == {"no": 1, "null": 2, "1": 3}


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.integers(-999, 999) | st.booleans() | st.none(), min_size=1
    )
)
def test_every_key_and_value_stands_where_it_says(data: dict[str, object]) -> None:
    """Reading the characters at a node's span gives the node's own text."""
    text = "".join(f"{key}:   {'' if value is None else str(value).lower()}\n" for key, value in data.items())
    root, _ = parse(text)
    assert root is not None
    lines = split_lines(text)
    for (key,), span, node in walk(root):
        assert _at(lines, span) == key
        if isinstance(node, Scalar) and node.value is not None:
            assert core_scalar(_at(lines, node.span)) == data[str(key)]


def _at(lines: list[str], span: Span) -> str:
    return lines[span.line - 1][span.column - 1 : span.column - 1 + span.length]


@given(st.text(alphabet=st.sampled_from("ab:{}[]-*&!#'\"|>%@` \t\n"), max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text makes the parser raise; what cannot be read has a mistake, inside the text."""
    root, mistakes = parse(text)
    for mistake in mistakes:
        assert 1 <= mistake.span.line <= len(split_lines(text))
    assert root is not None or mistakes or not "".join(line.split("#")[0] for line in text.split("\n")).strip("- \n")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("a: *b\n", "anchor"),
        ("a: &b 1\n", "anchor"),
        ("<<: { a: 1 }\n", "anchor"),
        ("a: !include b\n", "yaml-tag"),
        ("a: 1\na: 2\n", "duplicate-key"),
        ("a: { b: 1, b: 2 }\n", "duplicate-key"),
        ("a: 1\n---\nb: 2\n", "yaml"),
        ("[a]: 1\n", "yaml"),
        ("a: * * * * *\n", "unquoted-alias"),
        ("a:\n  b: 1\n\tc: 2\n", "tab"),
        ("[" * 50, "yaml"),
    ],
)
def test_what_is_left_out_on_purpose(text: str, rule: str) -> None:
    assert [mistake.rule for mistake in parse(text)[1]] == [rule]


def test_the_rest_of_a_file_is_read_after_a_mistake() -> None:
    """Mistakes that do not stop the parser are collected."""
    _, mistakes = parse("a: &x 1\na: 2\nb: !t 3\n")
    assert [mistake.rule for mistake in mistakes] == ["anchor", "duplicate-key", "yaml-tag"]
