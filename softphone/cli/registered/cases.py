"""`klartone cases`: objections, requests for erasure, and grounds under special circumstances, for data protection."""

from __future__ import annotations

from softphone.cli.registering import Commands
from softphone.cli.words import choices, day, one_of, word
from softphone.domain.purpose import Purpose
from softphone.domain.roles import Permission

AT = "softphone.cli.cases"
DECIDES = (Permission.DECIDE_CASE,)


def add_cases(commands: Commands) -> None:
    here, texts = commands.group("cases", prefix="cases.", archive=True), commands.texts
    here.add("list", f"{AT}:cases_list", DECIDES).add_argument(
        "--json", action="store_true", help=texts("cli.json_lines")
    )
    show, decide = here.add("show", f"{AT}:cases_show", DECIDES), here.add("decide", f"{AT}:cases_decide", DECIDES)
    for one in (show, decide):
        one.add_argument("id", type=word(texts), metavar="ID", help=texts("cli.cases.id"))
    show.add_argument("--json", action="store_true", help=texts("cli.json"))
    new = here.add("new", "softphone.cli.archive.rights:cases_new", [Permission.TAKE_BACK])
    which = new.add_mutually_exclusive_group(required=True)
    which.add_argument("id", nargs="?", type=word(texts), metavar="ID", help=texts("cli.archive.id"))
    which.add_argument("--number", metavar="NUMBER", help=texts("cli.holds.number"))
    kinds = ["objection", "erasure"]
    new.add_argument("--for", dest="asked_for", choices=kinds, default=kinds[0], help=texts("cli.cases.for"))
    new.add_argument("--received", type=day(texts), metavar="DATE", help=texts("cli.cases.received"))
    new.add_argument("--json", action="store_true", help=texts("cli.json_lines"))
    how = decide.add_mutually_exclusive_group(required=True)
    how.add_argument("--uphold", action="store_true", help=texts("cli.cases.uphold"))
    how.add_argument("--reject", action="store_true", help=texts("cli.cases.reject"))
    decide.add_argument("--reason", required=True, metavar="TEXT", help=texts("cli.cases.reason"))
    decide.add_argument("--purpose", type=one_of(Purpose), choices=choices(Purpose), help=texts("cli.cases.purpose"))
    here.archive_behind()
