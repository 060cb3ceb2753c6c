"""Every rule that a project's files are held to, by name, with one sentence for the reference page."""

from __future__ import annotations

from collections.abc import Mapping

RULES: Mapping[str, str] = {
    # A file as such
    "missing-file": "courier_groups.yaml and semantic_tags.yaml stand at the top of a project.",
    "file-name": "Files are named in lower case and end in .yaml: the path is the name.",
    "unreadable": "A file can be read.",
    "too-large": "A file has at most 4 MB.",
    "encoding": "A file is UTF-8 without control characters.",
    "empty-file": "A file says something.",
    # YAML
    "yaml": "A file is one YAML document.",
    "tab": "Lines are indented with spaces.",
    "unquoted-alias": "A value that begins with * is quoted: unquoted it is a YAML alias.",
    "anchor": "No anchors, aliases or merge keys: a value stands where it is read.",
    "yaml-tag": "No YAML tags such as !!str or !include.",
    "duplicate-key": "A key stands once in its mapping.",
    "csv": "A list of stores is CSV: a first line of names, then as many values in each line.",
    # What is written
    "unknown-key": "Only known keys: a misspelt one is never ignored.",
    "missing-key": "Keys without a default are given.",
    "bad-type": "A value is text, a number, true or false, a list or a mapping, as its key wants.",
    "bad-value": "A value is one of those that its key knows.",
    "bad-name": "Couriers, groups, feeds, columns and targets are named in lower-case letters, digits and underscores.",
    "bad-handle": "A store is named as its platform does: acme, acme.myshopify.com, or a store hash.",
    "reserved-name": "A courier is not named as a schema that DuckDB, Postgres or courier itself uses.",
    "bad-duration": "Durations are 90s, 30m, 24h, 2d or 1w.",
    "bad-percent": "An error limit is a percentage from 0% to 100%.",
    "bad-since": "`since` is a date, or an instant with its zone.",
    "bad-cron": "A schedule has the five fields of cron and fires sometimes.",
    "unknown-timezone": "A time zone is named as in the IANA database.",
    "bad-path": "`rows` and `from` are paths from a record.",
    "endpoint": "An endpoint is an origin; plain http only to this machine.",
    # Activations
    "query-file": "An activation is two files of one name: what is sent (.yaml), and the query of what (.sql).",
    "surface-section": "An activation has the section of its surface, and no other one's.",
    "template": "In a text, {column} stands for a column's value, and {{ and }} for braces.",
    "row-template": "`row:` or `columns:` says what a line of {rows} is.",
    "parameter": "A parameter has a name of its own, and `must_occur:` names parameters.",
    "guard-floor": "No guard lets fewer than 5 people leave as a group.",
    "release": "Only columns with `pii: true` and without a pii tag can be released.",
    "enriches": "An activation enriches another one, which makes the personas.",
    # Secrets
    "literal-secret": "A secret is never written into a file, only its name: ${NAME}.",
    "secret-reference": "${NAME} is a whole value, and stands in `credential:`, `targets:`, `destination:`, or in a "
    "list of stores, only.",
    "bad-credential": "A credential has one of the sets of keys that its connector knows.",
    "destination-url": "Only Postgres has a `url`.",
    # Names that must exist
    "unknown-connector": "A courier's connector exists.",
    "unknown-domain-tables": "A courier's folder of domain tables exists.",
    "unknown-feed": "A feed, and a parent, is a file in the courier's folder of domain tables.",
    "unknown-courier": "A group's couriers exist.",
    "unknown-group": "The group of a constraint, or of an alert, exists.",
    "unknown-target": "An alert's target stands in `targets:`.",
    "unknown-activation": "A group's activations exist, and those that an activation names.",
    "unknown-tag": "A semantic tag is in semantic_tags.yaml.",
    "unknown-column": "`primary_key`, `last_updated`, `release` and `must_occur` name columns.",
    # What must fit together
    "courier-name": "A store's courier, <file>_<store>, is called as no other courier is.",
    "duplicate-store": "A store stands once in its list.",
    "duplicate-tag": "A tag stands once on its column, and once in the vocabulary.",
    "tag-alias": "A tag is written by its own name, not by an alias (a warning).",
    "tag-type": "A strict tag's type is not contradicted.",
    "missing-type": "A column has a type, its own or its tag's.",
    "missing-sql": "A list of paths needs `sql` to make one value of them.",
    "unavailable-column": "A column without a source has no `from` or `sql`, and is in no key.",
    "last-updated-type": "`last_updated` is a datetime column.",
    "bad-parent": "A table over a list has its root record's table as parent: with `last_updated`, or truncated.",
    "child-without-parent": "A courier that sends a child feed sends its parent's too.",
    "namespaces": "`namespaces` stands on a feed of metafields, and names each one once.",
    "view-name": "A view has another name than the tables beside it.",
    "cycle": "Groups do not wait for each other in a circle.",
}
