"""The policy in force, its notices and its rulebook, as the calls use them. It loads beside the loop, so no call waits for
it.

A policy is taken up when its notices are ready, and again whenever its file changes, for the next call. A faulty one is
refused with all its faults, and the last good one stays. One that must be signed and is not leaves none. The audit log notes
each of these (G11).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from softphone.archive.crypto.recipients import policy_recipients
from softphone.archive.log.policies import KEYS, SIGNED, shown
from softphone.calls.policy.lines import line_state
from softphone.calls.policy.reading import Exchanges, Loaded, NotLoaded, PolicyReader
from softphone.calls.turns import Post
from softphone.domain.changes import AuditEntry
from softphone.domain.decision import Decision, Facts
from softphone.domain.errors import ArchiveError
from softphone.domain.policy import LoadedPolicy, Policy
from softphone.domain.purpose import Reason
from softphone.plugin.client import PluginReport
from softphone.plugin.notices import NoticeBook, NoticeMaker
from softphone.plugin.rulebook import RulebookClient
from softphone.system.logbook import log
from softphone.wire.snapshot import CodedText, LineState, PolicyPhase, PolicyState

_log = log.getChild("engine")


class PolicyInForce:
    """`note` writes entries that belong to no call. `decided` is `CallBook.decided`, set before the first call. Without a
    rulebook there is no `maker`, and no call is recorded."""

    def __init__(
        self,
        maker: NoticeMaker | None,
        rulebook: RulebookClient,
        post: Post,
        changed: Callable[[], None],
        fault: Callable[[str, CodedText | None], None],
        note: Callable[[Sequence[AuditEntry]], None],
    ) -> None:
        self._rulebook = rulebook
        self._post = post
        self._changed = changed
        self._fault = fault
        self._note = note
        self._reader = PolicyReader(maker, post, self._answered)
        self.decided: Callable[[str, Decision], None] = lambda _call, _decision: None
        self.policy: Policy | None = None
        self.book = NoticeBook()
        self.exchanges: frozenset[str] = frozenset()
        self.state = PolicyState(PolicyPhase.MISSING)
        self._path, self._signer = "", ""
        self._noted, self._stands = "", ""
        """SHA-256 of the file in force, and of one that is only read again and need not be noted twice"""
        self.archive_signer = ""
        """whose signature the archive asks for, as far as it has said; the settings may ask for one too"""

    @property
    def trouble(self) -> Reason:
        """Why no call can be recorded while there is no policy."""
        match self.state.phase:
            case PolicyPhase.FAULTY:
                return Reason.POLICY_FAULTY
            case PolicyPhase.UNSIGNED:
                return Reason.POLICY_UNSIGNED
            case _:
                return Reason.POLICY_MISSING

    def load(self, path: str, signer: str = "", *, guarded: bool = False) -> None:
        """Read and take up the policy at `path`, and keep watching it. An empty path means none.

        `signer`: the public key that must have signed it, in base64; empty: none. `guarded`: as `load_policy` has it.
        """
        self._path, self._signer, self._guarded, self._stands = path, signer, guarded, ""
        if not path:
            self._reader.stop()
            self._put_away()
            self.state = PolicyState(PolicyPhase.MISSING)
            self._changed()
            return
        if self.policy is None:
            self.state = PolicyState(PolicyPhase.LOADING, path)
            self._changed()
        self._reader.look_after(Path(path), signer, self.archive_signer, guarded=guarded)

    def ask_for(self, archive_signer: str) -> None:
        """Whose signature the archive asks of a policy from now on; empty: nobody's.

        A policy in force that has it stays while it is read anew: if it is signed, so must its sounds be.
        """
        self.archive_signer = archive_signer
        if self.policy and archive_signer and archive_signer not in self.policy.signed_by:
            self._put_away()
        self.make_anew()
        if archive_signer:
            # That it has the signature is noted too.
            self._stands = ""

    def make_anew(self) -> None:
        """Read the policy and make its notices again, as after a change of the file. What is in force stays meanwhile."""
        if self._path:
            self.load(self._path, self._signer, guarded=self._guarded)
            self._stands = self._noted

    def close(self) -> None:
        self._reader.stop()

    def lines(self) -> tuple[LineState, ...]:
        policy = self.policy
        if policy is None:
            return ()
        return tuple(line_state(policy, line, datetime.now(UTC)) for line in policy.line)

    def ask(self, call: str, policy: Policy, facts: Facts, *, drawn: bool) -> None:
        """By `policy`, the one in force when it rang."""
        self._rulebook.decide(
            policy,
            facts,
            drawn=drawn,
            callback=lambda decision: self._post(lambda: self.decided(call, decision)),
        )

    def word(self, word: PluginReport) -> None:
        """From the plugin host, on its thread."""
        self._post(lambda: self._fault(f"plugin.{word.plugin}", CodedText(word.code, {"plugin": word.plugin})))

    def mended(self, plugin: str) -> None:
        """It has answered well again: as `word`."""
        self._post(lambda: self._fault(f"plugin.{plugin}", None))

    # --- what was read ---------------------------------------------------------------------------

    def _answered(self, got: Loaded | NotLoaded | Exchanges) -> None:
        match got:
            case Loaded():
                self._take_up(got)
                self._believe(got.exchanges)
            case NotLoaded():
                self._refuse(got)
            case Exchanges():
                self._believe(got)
        self._changed()

    def _believe(self, exchanges: Exchanges) -> None:
        self.exchanges = exchanges.addresses
        unresolved = ", ".join(exchanges.unresolved)
        self._fault("upstream", CodedText("fault.upstream.unresolved", {"hosts": unresolved}) if unresolved else None)

    def _take_up(self, got: Loaded) -> None:
        """For the next call: one that is on has its own."""
        loaded, book = got.loaded, got.book
        policy = loaded.policy
        self.policy, self.book = policy, book
        doubts = loaded.with_remarks(*book.remarks).remarks
        remarks = tuple(
            CodedText(one.code, {**one.params, "rule": one.rule}, one.line, one.key) for one in doubts if not one.by
        )
        unspoken = CodedText("fault.notice.unspoken", {"count": len(book.unspoken)}) if book.unspoken else None
        self._fault("notices", CodedText("error.notice.rulebook_failed") if book.failed else unspoken)
        self.state = PolicyState(PolicyPhase.READY, loaded.path, _controllers(policy), policy.time_zone, remarks)
        if loaded.sha256 != self._stands:
            number = policy.house.policy_number
            _log.info(
                "policy in force: number %s sha256 %s lines %d", number or "-", loaded.sha256[:16], len(policy.line)
            )
        now = datetime.now(UTC)
        # The file's words come with the rulebook's, and its choices.
        taken_up = AuditEntry("policy_taken_up", "G11", now, "", params={**self._named(loaded), **book.made_by})
        worded = {one.hash: ("notice_confirmed", "G05") for one in book.wordings}
        used = {one.hash: ("doubt_confirmed", one.rule) for one in loaded.remarks if one.by} | worded
        confirmed = (
            AuditEntry(*used[one.hash], now, "", params={"hash": one.hash, "on": one.on.isoformat()})
            for one in policy.confirmed
            if one.hash in used
        )
        if loaded.sha256 != self._stands:
            self._note([taken_up, *confirmed])
        self._noted, self._stands = loaded.sha256, ""

    def _named(self, loaded: LoadedPolicy) -> dict[str, str]:
        """Its hash, the keys that it names, and whose signature it has, if the archive asks for one. `verify` holds wraps to
        it."""
        keys = ""
        with suppress(ArchiveError):
            keys = shown(policy_recipients(loaded.policy))
        signed = self.archive_signer if self.archive_signer in loaded.policy.signed_by else ""
        return {"sha256": loaded.sha256, **({KEYS: keys} if keys else {}), **({SIGNED: signed} if signed else {})}

    def _refuse(self, got: NotLoaded) -> None:
        if got.unsigned:
            # Somebody may have changed it in order to record what must not be recorded.
            self._put_away()
        phase = PolicyPhase.UNSIGNED if got.unsigned else PolicyPhase.FAULTY
        controllers = _controllers(self.policy) if self.policy else ""
        zone = self.policy.time_zone if self.policy else "UTC"
        self.state = PolicyState(phase, got.path, controllers, zone, got.faults)
        fields = {
            "why": got.faults[0].code if got.faults else "",
            "faults": len(got.faults),
            "last_good_stays": bool(self.policy),
        }
        self._stands = ""
        codes = " ".join(dict.fromkeys(one.code for one in got.faults))
        _log.info("policy %s, the one before %s: %s", phase.value, "stays" if self.policy else "does not stay", codes)
        self._note([AuditEntry("policy_refused", "G11", datetime.now(UTC), "", params=fields)])

    def _put_away(self) -> None:
        self.policy, self.book, self.exchanges, self._noted = None, NoticeBook(), frozenset(), ""


def _controllers(policy: Policy) -> str:
    return ", ".join(one.name for one in policy.controller)
