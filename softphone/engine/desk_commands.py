"""What a desk commands, carried out or refused. Settings are stored beside the loop."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import fields

from softphone.calls.numbers import names_of, user_part
from softphone.calls.turns import Post, guarded
from softphone.domain.errors import KlartoneError, SettingsError
from softphone.domain.notice import NoticeFile
from softphone.domain.policy import which_line
from softphone.domain.purpose import Direction
from softphone.engine.parts import Parts
from softphone.engine.server import Client
from softphone.system.logbook import log
from softphone.wire.from_engine import Done, Refused
from softphone.wire.snapshot import CodedText, PolicyPhase, Settings
from softphone.wire.to_engine import (
    Act,
    Activate,
    Answer,
    AnsweredAtOnce,
    BackToParty,
    Choose,
    Command,
    CompleteTransfer,
    Consult,
    Decline,
    DeclineTransfer,
    Dial,
    EndCallBack,
    EndWrapUp,
    FollowTransfer,
    HangUp,
    HoldCall,
    Join,
    LockEarlier,
    Mute,
    OptOut,
    PostponeQuit,
    Quit,
    QuitWhenIdle,
    RaiseDispute,
    ReadSettings,
    Reopen,
    SaveNote,
    SaveSettings,
    Seen,
    SendDigits,
    TestCall,
    TestTone,
    Transfer,
    UndoDispute,
    WatchLevels,
)

_log = log.getChild("engine")


class DeskCommands:
    """`fault` is the engine's: a fault stands by its name until it is mended. `watch` has levels sent, or no more."""

    def __init__(
        self,
        parts: Parts,
        post: Post,
        *,
        changed: Callable[[], None],
        fault: Callable[[str, CodedText | None], None],
        watch: Callable[[bool], None],
        quit: Callable[[], None],
        quit_when_idle: Callable[[Client, QuitWhenIdle], CodedText | None],
        postpone_quit: Callable[[], bool],
    ) -> None:
        self._parts = parts
        self._post = post
        self._changed = changed
        self._fault = fault
        self._watch = watch
        self._quit = quit
        self._quit_when_idle = quit_when_idle
        self._postpone_quit = postpone_quit
        self._settings_changed = False
        """a command has changed their file"""
        self._writing: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        threading.Thread(target=_do_all, args=(self._writing,), name="settings", daemon=True).start()

    def carry_out(self, client: Client, command: Command) -> None:
        if isinstance(command, QuitWhenIdle):
            self._answer(client, command, self._quit_when_idle(client, command))
            return
        if isinstance(command, ReadSettings):
            self._settings_changed = True
            self._answer(client, command, None)
            return
        if not client.desk:
            self._answer(client, command, CodedText("refused.observer"))
            return
        if isinstance(command, LockEarlier):
            self._parts.calls.lock_earlier(command, lambda answer: self._answer(client, command, answer))
            return
        if isinstance(command, SaveSettings):
            self._save(client, command)
            return
        try:
            answer = self._act(command)
        except KlartoneError as error:
            answer = _refused(error)
        self._answer(client, command, answer)

    def _answer(self, client: Client, command: Command, answer: dict[str, str] | CodedText | None) -> None:
        if isinstance(answer, CodedText):
            client.outbox.put(Refused(command.id, answer))
        else:
            client.outbox.put(Done(command.id, answer or {}))
        self._changed()

    def _act(self, command: AnsweredAtOnce) -> dict[str, str] | CodedText | None:
        parts = self._parts
        calls = parts.calls
        match command:
            case Dial(account=account, target=target, line=line):
                if not parts.accounts.known(account):
                    return CodedText("error.dial.account")
                return {"call": calls.dial(account, target, line)}
            case Answer(call=call):
                return calls.answer(call)
            case Decline(call=call):
                return calls.decline(call)
            case HangUp(call=call):
                return calls.hang_up(call)
            case Mute(call=call, on=on):
                return calls.mute(call, on)
            case HoldCall(call=call, on=on):
                return calls.hold(call, on)
            case SendDigits(call=call, digits=digits):
                if (refused := calls.send_digits(call, digits)) is None:
                    parts.sound.keys(digits)
                return refused
            case OptOut() | RaiseDispute() | UndoDispute() | Choose() | Act():
                return calls.recording_command(command)
            case Reopen(call=call):
                return calls.reopen(call)
            case EndWrapUp(call=call):
                return calls.end_wrap_up(call)
            case Seen(calls=seen):
                return calls.seen(seen)
            case SaveNote(call=call, text=text):
                return calls.save_note(call, text)
            case EndCallBack(call_back=id):
                parts.store.end_call_back(id)
                return None
            case Activate(call=call):
                return calls.activate(call)
            case Consult(call=call, target=target):
                made = calls.consult(call, target)
                return {"call": made} if isinstance(made, str) else made
            case Join(call=call):
                return calls.join(call)
            case BackToParty(call=call):
                return calls.back_to_party(call)
            case Transfer(call=call, target=target):
                return calls.transferring.blind(call, target)
            case CompleteTransfer(call=call):
                return calls.transferring.complete(call)
            case FollowTransfer(call=call, target=target):
                return calls.transferring.follow(call, target)
            case DeclineTransfer(call=call):
                return calls.transferring.decline(call)
            case WatchLevels(on=on):
                self._watch(on)
                return None
            case TestTone():
                parts.sound.test_tone()
                return None
            case TestCall(account=account, on=on):
                return self._test_call(account, on=on)
            case Quit():
                self._quit()
                return None
            case PostponeQuit():
                return None if self._postpone_quit() else CodedText("why_not.not_now")

    def _test_call(self, account: str, *, on: bool) -> CodedText | None:
        parts = self._parts
        if not parts.accounts.known(account):
            return CodedText("error.dial.account")
        if not on:
            parts.sound.end_test_call()
        elif parts.calls.talking or not parts.sound.test_call(self._own_notice(account)):
            return CodedText("why_not.not_now")
        return None

    def _own_notice(self, account: str) -> NoticeFile | None:
        """What callers of this account's line hear; None if there is nothing to hear."""
        parts = self._parts
        address = next((one.address for one in parts.settings.accounts if one.id == account), "")
        named = names_of(user_part(address), address, (one.address for one in parts.settings.accounts))
        policy = parts.rules.policy
        line = which_line(policy, Direction.INBOUND, called=named, account=named).line if policy else None
        places = [place for place in parts.rules.book.sounds if line is None or place[0] == line.id]
        return parts.rules.book.sounds[places[0]].file() if places else None

    def _save(self, client: Client, command: SaveSettings) -> None:
        """Settings that cannot be used or stored are refused and change nothing. The disk is waited for beside the loop."""
        settings = command.settings
        try:
            if not (settings.port == 0 or 1024 <= settings.port <= 65535):
                raise SettingsError("error.settings.port", port=settings.port)
            self._parts.accounts.check(settings.accounts, in_call=self._parts.calls.talking)
        except KlartoneError as error:
            self._answer(client, command, _refused(error))
            return
        before = self._parts.settings
        new_sound = _devices(before) != _devices(settings)

        def write() -> None:
            try:
                said = self._parts.sound.check(settings.microphone) if new_sound else None
                self._parts.save(before, settings)
            except KlartoneError as error:
                refused = _refused(error)
                self._post(lambda: self._answer(client, command, refused))
            else:
                self._post(lambda: self._saved(client, command, said))

        self._writing.put(write)

    def read_settings(self) -> None:
        """As where a client asks for it."""
        self._settings_changed = True

    def settle(self, *, in_call: bool) -> None:
        """To be called in each turn: changed settings wait for a moment without a call, like a new password."""
        if not self._settings_changed or in_call:
            return
        self._settings_changed = False

        def read() -> None:
            try:
                settings, locked = self._parts.read_settings()
                said = self._parts.sound.check(settings.microphone)
            except KlartoneError as error:
                refused = CodedText(error.code, error.params)
                self._post(lambda: self._fault("settings", refused))
            else:
                self._post(lambda: self._take_up(settings, locked, said))

        self._writing.put(read)

    def _take_up(self, settings: Settings, locked: Mapping[str, str], said: bytes | None) -> None:
        if self._parts.calls.talking:
            self._settings_changed = True  # a call has begun meanwhile
            return
        self._parts.locked = locked
        if (refused := self._use(settings, said)) is not None:
            self._fault("accounts", refused)

    def _saved(self, client: Client, command: SaveSettings, said: bytes | None) -> None:
        self._answer(client, command, self._use(command.settings, said))

    def _use(self, settings: Settings, said: bytes | None) -> CodedText | None:
        before = self._parts.settings
        in_call = self._parts.calls.talking
        changed = [one.name for one in fields(settings) if getattr(settings, one.name) != getattr(before, one.name)]
        _log.info("settings taken up: %s", " ".join(changed) or "nothing new")
        self._fault("settings", None)
        self._parts.settings = settings
        answer: CodedText | None = None
        try:
            self._parts.accounts.set(settings.accounts, in_call=in_call)
            self._fault("accounts", None)
        except KlartoneError as error:
            # A call has begun meanwhile: the saved settings hold from the next start on.
            answer = _refused(error)
        self._parts.sound.adjust(settings)
        if _devices(before) != _devices(settings):
            self._parts.sound.use(settings.microphone, settings.speaker, said)
            self._fault("sound", None)
        policy = _policy(settings)
        if policy != _policy(before) or self._parts.rules.state.phase is not PolicyPhase.READY:
            self._parts.rules.load(*policy[:2], guarded=settings.policy_guarded)
        self._changed()
        return answer


def _refused(error: KlartoneError) -> CodedText:
    """In full, so that a client without a desk's texts finds its sentence under the code as it stands."""
    return CodedText(f"error.{error.code.removeprefix('error.')}", error.params)


def _do_all(waiting: queue.SimpleQueue[Callable[[], None]]) -> None:
    while True:
        guarded(waiting.get())


def _policy(settings: Settings) -> tuple[str, str, bool]:
    return settings.policy, settings.policy_signer, settings.policy_guarded


def _devices(settings: Settings) -> tuple[object, ...]:
    """What a call's sound is opened anew for."""
    return settings.microphone, settings.speaker, settings.notice_device, settings.echo, settings.noise
