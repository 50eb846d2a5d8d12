"""What this desk signs call passports with. IT puts its certificate into the settings while the program runs, so the file is
looked at with each call, on a thread: neither the disk nor the keyring keeps a call waiting."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from softphone.archive.crypto.wraps import signer_name
from softphone.archive.folder.marker import read_marker
from softphone.bootstrap.home import key_store
from softphone.domain.errors import KlartoneError
from softphone.system.logbook import log_bug
from softphone.system.passports import Seal
from softphone.system.settings import load_settings

_log = logging.getLogger(__name__)


class DeskSeal:
    """`post` runs something on the loop; `use` gets the seal there, or None once the settings name no certificate."""

    def __init__(
        self,
        config: Path,
        archive: Path,
        post: Callable[[Callable[[], None]], None],
        use: Callable[[Seal | None], None],
    ) -> None:
        self._config = config
        self._archive = archive
        self._post = post
        self._use = use
        self._used = ""
        """the certificate"""
        self._looks = False

    def look(self) -> None:
        if not self._looks:
            self._looks = True
            threading.Thread(target=self._load, args=(self._used,), name="seal", daemon=True).start()

    def _load(self, used: str) -> None:
        seal, certificate = None, used
        # Faulty settings, an archive that is not there yet, a locked keyring: what is in use stays, until the next call.
        try:
            with suppress(KlartoneError, OSError):
                named = load_settings(self._config).desk_certificate
                if named != used and named:
                    private = key_store(self._archive).get(signer_name(read_marker(self._archive).desk))
                    if private is not None:
                        seal, certificate = Seal(private, named), named
                elif named != used:
                    certificate = ""
        except Exception as error:  # noqa: BLE001 - whatever it is: the next call looks again
            log_bug(_log, error, "no seal")
        self._post(lambda: self._loaded(seal, certificate))

    def _loaded(self, seal: Seal | None, certificate: str) -> None:
        self._looks = False
        if certificate != self._used:
            self._used = certificate
            self._use(seal)
