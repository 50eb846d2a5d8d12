"""A new policy file as text: the answers as TOML, each part under a comment that explains it and its alternatives."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from softphone.domain.purpose import Basis, KeyRole, Language
from softphone.texts import Texts

WIDTH = 110

PARTY: Mapping[Language, str] = {Language.DA: "kunden", Language.EN: "the caller"}
"""what the person at the other end is called by default"""


@dataclass(frozen=True, slots=True)
class Assessed:
    """What has been written of an assessment so far; empty if nothing has."""

    why: str
    a: str
    b: str
    c: str
    factor: str
    conclusion: str


@dataclass(slots=True)
class Answers:
    """As given, each valid for its key; empty for none."""

    controller: str
    page: str
    contact: str
    language: Language
    """of the notices"""
    party: Mapping[Language, str]
    line: str
    number: str
    documentation: Basis | None = None
    documentation_kept: str = ""
    documentation_why_kept: str = ""
    rule: str = ""
    assessed: Assessed | None = None
    training: Basis | None = None
    sample: str = ""
    why_this_number: str = ""
    capacity: str = ""
    training_why_kept: str = ""
    informed: str = ""


def written(answers: Answers, tell: Texts) -> str:
    return "\n".join(_lines(answers, tell)) + "\n"


def _lines(answers: Answers, tell: Texts) -> Iterator[str]:
    def about(code: str) -> Iterator[str]:
        yield ""
        yield from _comment(tell(f"new.about.{code}"))

    def later(key: str, value: str, answer: str = "") -> str:
        """What was not answered stands there as a comment, to be filled in."""
        return f"{key} = {answer}" if answer else f"# {key} = {value}"

    dots = quoted("…")
    yield from _comment(tell("new.about.file"))
    yield ""
    yield "version = 1"
    yield 'time_zone = "Europe/Copenhagen"'
    yield f'notice_language = "{answers.language}"'
    yield from about("informed")
    yield later("employees_informed_on", "2026-11-25", answers.informed)
    yield from about("controller")
    yield "[controller]"
    yield f"name = {quoted(answers.controller)}"
    yield f"page = {quoted(answers.page)}"
    yield f"contact = {quoted(answers.contact)}"
    yield f"party = {{ da = {quoted(answers.party[Language.DA])}, en = {quoted(answers.party[Language.EN])} }}"
    authority = Basis.PUBLIC_TASK in (answers.documentation, answers.training)
    yield later("authority", "true", "true" if authority else "")
    yield from about("recipients")
    for role in roles(answers):
        yield "[[recipient]]"
        yield f'id = "{recipient_id(role)}"'
        yield f'purpose = "{role}"'
        yield f'public_key = "${role}_key"'
        yield ""
    yield from _comment(tell("new.about.line"))
    yield "[[line]]"
    yield 'id = "line-1"'
    yield f"name = {quoted(answers.line)}"
    yield later("numbers", '["+45 70 10 20 30"]', f"[{quoted(answers.number)}]" if answers.number else "")
    yield 'notice = "play"'
    yield 'calls = ["inbound", "outbound"]'
    if answers.documentation is not None:
        yield from about("documentation")
        yield "[line.documentation]"
        yield f'basis = "{answers.documentation}"'
        yield f'retention = "{answers.documentation_kept}"'
        if answers.documentation is Basis.LEGAL_OBLIGATION:
            yield later("rule", dots, _answered(answers.rule))
        else:
            yield later("why_kept", dots, _answered(answers.documentation_why_kept))
        yield later("at_end", '"review"')
    if answers.assessed is not None:
        one = answers.assessed
        yield from about("assessment")
        hidden = "" if one.why else "# "
        yield f"{hidden}[line.documentation.assessment]"
        yield f"{hidden}why = {quoted(one.why or '…')}"
        answered = ", ".join(
            f"{name} = {quoted(text)}" for name, text in (("a", one.a), ("b", one.b), ("c", one.c)) if text
        )
        yield f"{hidden}G20 = {{ {answered} }}" if answered else '# G20 = { a = "…", b = "…", c = "…" }'
        yield f"{hidden}G21 = {{ d = {quoted(one.factor)} }}" if one.factor else '# G21 = { d = "…" }'
        yield f"{hidden}conclusion = {quoted(one.conclusion)}" if one.conclusion else '# conclusion = "…"'
    if answers.training is not None:
        yield from about("training")
        yield "[line.training]"
        yield f'basis = "{answers.training}"'
        yield 'retention = "P3M"'
        yield f'sample = "{answers.sample}"'
        yield f"why_this_number = {quoted(answers.why_this_number)}"
        yield later("capacity", "20", answers.capacity)
        yield later("why_kept", dots, _answered(answers.training_why_kept))
        yield later("keep_reviewed", '"P7D"')
        if answers.training is not Basis.CONSENT:
            yield 'opt_out = "stop"'


def roles(answers: Answers) -> Iterator[KeyRole]:
    if answers.documentation is not None:
        yield KeyRole.DOCUMENTATION
    if answers.training is not None:
        yield KeyRole.TRAINING
    yield KeyRole.CUSTODY


def recipient_id(role: KeyRole) -> str:
    return f"{role}-1"


def quoted(value: str) -> str:
    """A basic string of TOML, which escapes as JSON does, but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _answered(text: str) -> str:
    return quoted(text) if text else ""


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)]
