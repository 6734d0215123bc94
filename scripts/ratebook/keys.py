"""The key of the pseudonyms: read from the environment, never stored and never said. Light: read while rules are parsed."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from ratebook.errors import RatebookError

KEY = "RATEBOOK_KEY"
"""The environment variable that holds the key."""
SHORTEST = 32
"""Characters a key must have: 64 hexadecimal digits are 256 bits, and 32 are still 128."""
HOW = (
    f"""make a key once with  python -c "import secrets; print(secrets.token_hex(32))"  , keep it outside the project, and """
    f"set it before every run with  export {KEY}=…"
)


def hides_ids(config: dict) -> bool:
    """Say whether ids are replaced: those of real data (`study.data_note` is empty) that are not pseudonyms already.

    Synthetic data keeps its ids whatever the environment holds, so that the demonstration is the same everywhere.
    """
    return config["intake"]["ids"] == "keyed_hash" and not config["study"]["data_note"]


def check_key(config: dict, environment: Mapping[str, str]) -> None:
    """Refuse real data whose ids are to be replaced where there is no key, or one too short.

    Raises
    ------
    RatebookError
        Saying how to make a key; of the key itself only that it is short.
    """
    if not hides_ids(config):
        return
    try:
        require_key(environment)
    except RatebookError as error:
        raise RatebookError(
            f"config.yaml at intake.ids: keyed_hash replaces the ids of real data, but {error} "
            "(ids that are pseudonyms already: intake.ids: already_pseudonymous)"
        ) from None


def require_key(environment: Mapping[str, str]) -> str:
    """Read the key.

    Raises
    ------
    RatebookError
        If there is none, or one shorter than `SHORTEST`, saying how to make one and nothing of the one there is.
    """
    key = _key(environment)
    if len(key) < SHORTEST:
        fault = f"{KEY} is shorter than {SHORTEST} characters" if key else f"the environment has no {KEY}"
        raise RatebookError(f"{fault}; {HOW}")
    return key


def fingerprint_of(config: dict, environment: Mapping[str, str]) -> str:
    """Give 8 hexadecimal digits that tell one key from another and say nothing else of it; empty where ids stay.

    It is a parameter of the rule that reads the sources, so that another key reads them anew.
    """
    return derive(_key(environment), "fingerprint")[:8] if hides_ids(config) else ""


def read_key(environment: Mapping[str, str], fingerprint: str) -> str | None:
    """Read the key whose fingerprint the run was planned with; None where ids stay as they are.

    Raises
    ------
    RatebookError
        If the environment of the step holds no key, or another than that of the run.
    """
    if not fingerprint:
        return None
    key = _key(environment)
    if derive(key, "fingerprint")[:8] != fingerprint:
        raise RatebookError(f"{KEY} is missing here, or not the key the run was started with: set the same everywhere")
    return key


def derive(key: str, purpose: str) -> str:
    """Give 64 hexadecimal digits that only who holds the key can compute, others for every purpose."""
    return hmac.new(key.encode(), f"ratebook {purpose}".encode(), hashlib.sha256).hexdigest()


def _key(environment: Mapping[str, str]) -> str:
    return environment.get(KEY, "").strip()
