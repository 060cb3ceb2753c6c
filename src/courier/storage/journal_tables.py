"""The tables of the journal of activations, and what the tables of the ledger have of them.

Their SQL is understood by SQLite and by Postgres alike.
"""

from __future__ import annotations

import secrets

from courier import clock

STEPS = (
    """
CREATE TABLE run (
    run TEXT PRIMARY KEY, activation TEXT NOT NULL, scope TEXT NOT NULL, group_run TEXT, plan_hash TEXT NOT NULL,
    as_of TEXT, credits_low INTEGER NOT NULL, credits_high INTEGER NOT NULL, started TEXT NOT NULL, ended TEXT,
    result TEXT NOT NULL, problem TEXT
);
CREATE INDEX run_activation ON run (activation, started);
CREATE TABLE known (
    scope TEXT NOT NULL, activation TEXT NOT NULL, "key" TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL,
    remote_id TEXT, made INTEGER NOT NULL, payload TEXT NOT NULL, payload_hash TEXT NOT NULL, thread TEXT,
    ignored TEXT NOT NULL, seen TEXT NOT NULL, credits INTEGER NOT NULL, run TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (scope, activation, "key")
);
CREATE TABLE intent (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, scope TEXT NOT NULL, activation TEXT NOT NULL,
    "key" TEXT NOT NULL, item TEXT NOT NULL, seen TEXT NOT NULL, at TEXT NOT NULL, settled TEXT
);
CREATE INDEX intent_open ON intent (activation) WHERE settled IS NULL;
CREATE TABLE egress (
    id INTEGER PRIMARY KEY AUTOINCREMENT, intent INTEGER NOT NULL, run TEXT NOT NULL, activation TEXT NOT NULL,
    "key" TEXT NOT NULL, at TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX egress_intent ON egress (intent);
CREATE TABLE outcome (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, activation TEXT NOT NULL, "key" TEXT NOT NULL,
    name TEXT NOT NULL, action TEXT NOT NULL, state TEXT NOT NULL, remote_id TEXT, credits INTEGER NOT NULL,
    output TEXT, problems TEXT NOT NULL, at TEXT NOT NULL
);
CREATE INDEX outcome_run ON outcome (run);
CREATE INDEX outcome_spent ON outcome (activation, at);
CREATE TABLE kept (name TEXT PRIMARY KEY, value TEXT NOT NULL)
""",
)
"""What each version of courier added, in order, in SQLite's words."""
_ENTRY = (
    "(SELECT value FROM kept WHERE name = 'name') || '-' || substr('000000000000' || id, length('' || id) + 1) AS entry"
)
OF_LEDGER = {
    "activation_run": """
        SELECT run, activation, group_run, result, plan_hash, as_of, started, ended, credits_low, credits_high,
            (SELECT coalesce(sum(credits), 0) FROM outcome WHERE outcome.run = run.run) AS credits, problem
        FROM run""",
    "activation_item": """
        SELECT activation, "key", name, state, remote_id, payload_hash, credits, run, at FROM known
        WHERE NOT EXISTS (SELECT 1 FROM known AS later WHERE later.activation = known.activation
            AND later."key" = known."key" AND (later.at, later.scope) > (known.at, known.scope))""",
    "egress": f'SELECT {_ENTRY}, run, activation, "key", at, method, path, body FROM egress',
    "activation_result": f"""
        SELECT {_ENTRY}, run, activation, "key", name, action, state, remote_id, at, credits, output, problems
        FROM outcome""",
}
"""Table of the ledger -> its columns, of the journal's tables; instants and lists are texts there."""


def new_name() -> str:
    """Of a journal, so that its entries are not taken for those of one that somebody has deleted."""
    return f"{clock.now():%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
