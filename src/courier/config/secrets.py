"""Secrets, resolved at the last moment: from the environment, the project's .env, or the file named by NAME_FILE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from courier.config.activation import Activation
from courier.config.project import Courier, Project, SecretRef
from courier.errors import ConfigurationError, CredentialMissing

ENV_FILE = ".env"
MOST_NAMED = 20


def resolve_credential(project: Project, courier: Courier | Activation, environ: Mapping[str, str]) -> dict[str, str]:
    """A courier's or an activation's credential with its secrets in place of their names.

    `environ` is the environment; an empty variable counts as not set. Raises CredentialMissing, which names every
    missing variable, and ConfigurationError where .env or a file named by NAME_FILE cannot be read.
    """
    return resolve_credentials(project, [courier], environ)[courier.name]


def resolve_credentials(
    project: Project, couriers: Iterable[Courier | Activation], environ: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """The credentials of several couriers, or activations, by name; what is missing in any of them is said at once."""
    couriers = list(couriers)
    values = (value for courier in couriers for value in courier.credential.values())
    found = resolve(project.root, (value for value in values if isinstance(value, SecretRef)), environ)
    missing = [ref for ref, value in found.items() if value is None]
    if missing:
        raise _missing(missing)
    return {courier.name: _filled(courier, found) for courier in couriers}


def resolve(root: Path, refs: Iterable[SecretRef], environ: Mapping[str, str]) -> dict[SecretRef, str | None]:
    """What each secret of the project at `root` is; None for one that is not set anywhere."""
    places = (environ, _env_file(root / ENV_FILE))
    return {ref: _resolve(ref.name, places, root) for ref in refs}


def _filled(courier: Courier | Activation, found: Mapping[SecretRef, str | None]) -> dict[str, str]:
    return {
        key: (found[value] or "") if isinstance(value, SecretRef) else value
        for key, value in courier.credential.items()
    }


def _resolve(name: str, places: Iterable[Mapping[str, str]], root: Path) -> str | None:
    """The first that is there: NAME in each place, then NAME_FILE in each place."""
    places = list(places)
    for place in places:
        if place.get(name):
            return place[name]
    for place in places:
        if place.get(f"{name}_FILE"):
            return _secret_file(name, root / place[f"{name}_FILE"])
    return None


def _secret_file(name: str, path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        message = f"{name}_FILE names {path}, which cannot be read: {reason}"
        raise ConfigurationError(message, fix=f"Let {name}_FILE name a file that this user can read.") from None


def _env_file(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    status = path.stat()
    return _values_of(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4)
def _values_of(path: Path, changed: int, size: int) -> dict[str, str]:
    """Of the file as it was last changed: each of 200 stores asks for it, and to read 200 lines takes 10 ms."""
    # Imported here: most projects on servers have no .env.
    from dotenv import dotenv_values

    try:
        values = dotenv_values(path, interpolate=False, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError(f"{path} cannot be read: {reason}", fix="Look at its mode and encoding.") from None
    return {name: value for name, value in values.items() if value is not None}


def _missing(refs: list[SecretRef]) -> CredentialMissing:
    named = ", ".join(f"{ref.name} ({ref.path}:{ref.line})" for ref in refs[:MOST_NAMED])
    named += f" and {len(refs) - MOST_NAMED} more" if len(refs) > MOST_NAMED else ""
    them = "it" if len(refs) == 1 else "them"
    return CredentialMissing(
        f"not set: {named}",
        fix=(
            f"Set {them} in the environment or in .env (see .env.example), or put each into a file named by NAME_FILE. "
            "To try it on made-up data, add --sandbox to the same command."
        ),
    )
