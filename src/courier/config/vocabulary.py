"""semantic_tags.yaml: which tags there are, and which entry a written tag means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from courier.config.project import SemanticTag

if TYPE_CHECKING:  # a commit looks tags up, and need not wait 0.1 s for pydantic and yaml
    from courier.config.documents import Document
    from courier.config.models import SemanticTagModel, SemanticTags
    from courier.config.problems import Problem

_ORDINAL = re.compile(r"-[0-9]{1,3}$")


@dataclass(frozen=True)
class Vocabulary:
    """`complete` is False where semantic_tags.yaml could not be read: then no tag is called unknown."""

    tags: tuple[SemanticTag, ...] = ()
    complete: bool = True
    _by_name: Mapping[str, SemanticTag] = field(default_factory=dict, repr=False, compare=False)

    def find(self, written: str) -> SemanticTag | None:
        """The entry for a tag: its name, an alias, one with an ordinal (email-2), or a pattern (fk-*)."""
        exact = self._by_name.get(written) or self._by_name.get(_ORDINAL.sub("", written))
        return exact or max(self._matching(written), key=lambda tag: len(tag.name), default=None)

    def canonical(self, written: str) -> str:
        """The tag's own name for an alias: address-2 for addresss-2. Any other tag is itself."""
        stem = _ORDINAL.sub("", written)
        for name in (written, stem):
            tag = self._by_name.get(name)
            if tag is not None and name in tag.aliases:
                return tag.name + written.removeprefix(name)
        return written

    def _matching(self, written: str) -> Iterator[SemanticTag]:
        for tag in self.tags:
            stem = tag.name[:-1]
            ending = written.removeprefix(stem)
            if tag.name.endswith("*") and written.startswith(stem) and ending and "/" not in ending:
                yield tag


def vocabulary(tags: tuple[SemanticTag, ...], complete: bool = True) -> Vocabulary:
    """The tags, found by name and alias."""
    names = {name: tag for tag in reversed(tags) for name in (*tag.aliases, tag.name)}
    return Vocabulary(tags, complete, names)


def resolve_tags(model: SemanticTags) -> tuple[SemanticTag, ...]:
    """The file's entries, in its order."""
    return tuple(_tag(name, entry) for name, entry in model.items())


def _tag(name: str, entry: SemanticTagModel) -> SemanticTag:
    return SemanticTag(name, entry.type, entry.strict, entry.pii, entry.aliases)


def check_tags(document: Document, model: SemanticTags) -> Iterator[Problem]:
    """Aliases that are tags of their own, or aliases of two."""
    owners: dict[str, str] = {name: name for name in model}
    for name, entry in model.items():
        for position, alias in enumerate(entry.aliases):
            if alias in owners:
                message = f"`{alias}` already means `{owners[alias]}`"
                at = document.value((name, "aliases", position))
                yield document.problem(at, "duplicate-tag", message, "Keep one meaning of it.")
            owners.setdefault(alias, name)
