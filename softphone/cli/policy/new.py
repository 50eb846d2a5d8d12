"""`klartone policy new`: a few questions, and from the answers a policy file that explains itself. It never writes over one.

What it cannot know is a gap to fill in: the public keys, and what is missing of an assessment.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from softphone.bootstrap.home import texts
from softphone.bootstrap.program import as_typed
from softphone.cli.policy.written import PARTY, Answers, Assessed, recipient_id, roles, written
from softphone.domain.errors import KlartoneError
from softphone.domain.policy.fields import Day, Length, LineNumber, Page, Share, Text
from softphone.domain.purpose import Basis, Language, Purpose
from softphone.texts import Texts

DEFAULT_FILE = Path("policy.toml")

_CONTACT = re.compile(r"\S+@\S+\.\S+|\+?\d[\d ()-]{6,}\d")


def _contact(answer: str) -> str:
    if not _CONTACT.fullmatch(answer):
        raise ValueError(answer)
    return answer


def _https(answer: str) -> str:
    if not answer.lower().startswith("https://"):
        raise ValueError(answer)
    return answer


SafePage = Annotated[Page, AfterValidator(_https)]
"""an emergency number without one of these is possible, and the check warns of it"""
Contact = Annotated[str, AfterValidator(_contact)]
"""what a notice's reader can write to, or call"""
Capacity = Annotated[int, Field(ge=1)]

_WANTED: Sequence[tuple[Any, str]] = (
    (SafePage, "page"),
    (Contact, "contact"),
    (LineNumber, "number"),
    (Length, "length"),
    (Share, "share"),
    (Capacity, "capacity"),
    (Day, "day"),
)
"""the sentence that says what an answer of a kind must be; for the others, that there must be one"""

_BASES: dict[Purpose, Sequence[Basis]] = {
    Purpose.DOCUMENTATION: (
        Basis.LEGITIMATE_INTEREST,
        Basis.LEGAL_OBLIGATION,
        Basis.PUBLIC_TASK,
        Basis.CONSENT,
    ),
    Purpose.TRAINING: (Basis.CONSENT, Basis.LEGITIMATE_INTEREST, Basis.PUBLIC_TASK),
}
_LANGUAGES = {"1": Language.DA, "2": Language.EN}
_WHAT_FOR = {"1": (Purpose.DOCUMENTATION,), "2": (Purpose.TRAINING,), "3": tuple(Purpose)}


def policy_new(arguments: argparse.Namespace) -> int:
    """Questions on stdout, answers from stdin, one a line; an empty one takes the default.

    Raises KlartoneError if the file exists, if input ends before a question without a default, or for a wrong answer from a
    pipe.
    """
    tell = texts(arguments.told_in)
    path: Path = arguments.file or arguments.policy or DEFAULT_FILE
    if path.exists():
        raise KlartoneError("error.policy.new_there", path=str(path))
    answers = _asked(tell)
    content = written(answers, tell)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(content)
    except FileExistsError:
        raise KlartoneError("error.policy.new_there", path=str(path)) from None
    except OSError as error:
        raise KlartoneError("error.policy.new_unwritable", path=str(path), detail=error.strerror or "") from None
    check = as_typed("policy", "check", str(path))
    create = ", ".join(as_typed("keys", "create", role, "--id", recipient_id(role)) for role in roles(answers))
    print("\n" + tell("new.written", path=str(path), create=create, check=check))  # noqa: T201
    return 0


def _asked(tell: Texts) -> Answers:
    ask = _Questions(tell)
    controller = ask("controller", Text)
    page = ask("page", SafePage)
    contact = ask("contact", Contact)
    language = _LANGUAGES[ask.choice("language", tuple(_LANGUAGES))]
    party = {one: ask(f"party.{one}", Text, PARTY[one]) for one in Language}
    line = ask("line", Text, tell("new.line.default"))
    number = ask("number", LineNumber, "")
    purposes = _WHAT_FOR[ask.choice("what_for", tuple(_WHAT_FOR))]
    answers = Answers(controller, page, contact, language, party, line, number)
    if Purpose.DOCUMENTATION in purposes:
        answers.documentation = ask.basis(Purpose.DOCUMENTATION)
        if answers.documentation is Basis.LEGAL_OBLIGATION:
            answers.documentation_kept = ask("kept.obligation", Length)
            answers.rule = ask("rule", Text, "")
        else:
            answers.documentation_kept = ask("kept", Length, "P3M")
            answers.documentation_why_kept = ask("why_kept", Text, "")
        if answers.documentation.can_be_objected_to:
            answers.assessed = Assessed(
                *(ask(f"assessment.{name}", Text, "") for name in ("why", "a", "b", "c", "factor", "conclusion"))
            )
    if Purpose.TRAINING in purposes:
        answers.training = ask.basis(Purpose.TRAINING)
        answers.sample = ask("sample", Share, "10 %")
        answers.why_this_number = ask("why_this_number", Text)
        answers.capacity = ask("capacity", Capacity, "")
        answers.training_why_kept = ask("why_kept", Text, "")
    answers.informed = ask("informed", Day, "")
    return answers


class _Questions:
    def __init__(self, tell: Texts) -> None:
        self._tell = tell

    def __call__(self, code: str, kind: Any, default: str | None = None) -> str:
        """The answer as written, once it is valid. `default` None: it must be answered."""
        adapter: TypeAdapter[Any] = TypeAdapter(kind)

        def sound(answer: str) -> bool:
            try:
                adapter.validate_python(answer)
            except ValidationError:
                return False
            return True

        wanted = next((name for one, name in _WANTED if one is kind), "text")
        return self._until(code, default, lambda answer: answer == default or sound(answer), wanted)

    def basis(self, purpose: Purpose) -> Basis:
        bases = _BASES[purpose]
        chosen = self.choice(f"basis.{purpose}", [str(n + 1) for n in range(len(bases))])
        return bases[int(chosen) - 1]

    def choice(self, code: str, of: Sequence[str]) -> str:
        return self._until(code, of[0], lambda answer: answer in of, "choice", most=len(of))

    def _until(self, code: str, default: str | None, sound: Callable[[str], bool], wanted: str, **params: int) -> str:
        question = self._tell(f"new.{code}")
        while True:
            print(f"{question} [{default}] " if default else f"{question} ", end="", flush=True)  # noqa: T201
            answer = self._line(question)
            if answer == "" and default is not None:
                return default
            if answer and sound(answer):
                return answer
            if not sys.stdin.isatty():
                why = self._tell(f"new.wanted.{wanted}", **params)
                raise KlartoneError("error.policy.new_answer", question=question, answer=answer[:60], why=why)
            print(self._tell("new.again", why=self._tell(f"new.wanted.{wanted}", **params)))  # noqa: T201

    def _line(self, question: str) -> str:
        try:
            line = sys.stdin.readline()
        except UnicodeDecodeError:
            line = "\0"
        if not sys.stdin.isatty():
            print(flush=True)  # noqa: T201 - nobody pressed the key that ends the line
        if line == "":
            raise KlartoneError("error.policy.new_ended", question=question)
        return "".join(one for one in line.strip() if one.isprintable())
