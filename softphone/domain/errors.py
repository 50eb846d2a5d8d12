"""The errors a person may meet, as one small hierarchy.

    KlartoneError            a code with parameters; texts.py turns it into a sentence that says what
    │                        happened, what it means and what to do
    ├── SettingsError        a setting or an account that cannot be used
    ├── PolicyError          a policy file that cannot be used; carries every fault found, with line and key
    │   └── PolicyUnsigned   a policy that must be signed and is not, or has been altered since
    ├── KeyringError         the system's keyring is missing, locked or refused
    ├── ArchiveError         the archive cannot be opened, read or written
    ├── SoundError           a sound device or a sound file that cannot be used
    ├── EngineError          the engine cannot be started or reached
    ├── TeamError            the house's service, its database or its storage refuses or cannot be reached
    └── HouseError           as a desk meets it: the service has refused
        ├── NotSignedInError     it does not know this desk, or no longer
        └── UnreachableError     it has not answered, or something else has

Anything else that is raised is a bug and is reported as one, never shown as a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping

Param = str | int | float


class KlartoneError(Exception):
    """A fault for a person: `code` is a message key below `error.`; `params` fill its sentence."""

    def __init__(self, code: str, /, **params: Param) -> None:
        super().__init__(code)
        self.code = code
        self.params: Mapping[str, Param] = params

    def __str__(self) -> str:
        text = ", ".join(f"{key}={value}" for key, value in self.params.items())
        return f"{self.code}({text})" if text else self.code


class SettingsError(KlartoneError):
    pass


class KeyringError(KlartoneError):
    pass


class ArchiveError(KlartoneError):
    pass


class SoundError(KlartoneError):
    pass


class EngineError(KlartoneError):
    pass


class TeamError(KlartoneError):
    pass


class HouseError(KlartoneError):
    """`again`: seconds after which the service wants to be asked again; None: it did not say."""

    def __init__(self, code: str, /, *, status: int = 0, again: float | None = None, **params: Param) -> None:
        super().__init__(code, **params)
        self.status = status
        self.again = again


class NotSignedInError(HouseError):
    pass


class UnreachableError(HouseError):
    """Its sentence names the `status` that came in place of an answer."""

    def __init__(self, code: str, /, *, status: int = 0, again: float | None = None, **params: Param) -> None:
        super().__init__(code, status=status, again=again, **params)
        if status:
            self.params = {**params, "status": int(status)}
