"""What README and docs/activations.md show is what their commands print."""

from pathlib import Path

from tests import readme


def test_the_console_blocks_print_what_they_show(tmp_path: Path) -> None:
    """In a fresh project, one after the other, as a reader would type them."""
    project = readme.make_project(tmp_path / "project")
    for page in readme.PAGES:
        text = page.read_text()
        assert len(readme.BLOCK.findall(text)) >= 3
        assert readme.rewritten(text, project) == text


def test_the_commands_that_the_readme_names_exist() -> None:
    """The two commands are targets of the Makefile, and `make test` runs this very suite."""
    assert readme.steps("make run")[0] == "courier run --group shopify --sandbox"
    assert readme.steps("make test") == ["python -m pytest -n 2 --dist worksteal"]
