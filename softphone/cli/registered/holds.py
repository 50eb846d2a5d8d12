"""`klartone holds`: recordings locked for a dispute, or until a request for access is answered."""

from __future__ import annotations

from softphone.cli.registering import Commands
from softphone.cli.words import day, word
from softphone.domain.roles import Permission

AT = "softphone.cli.holds"
DECIDES = (Permission.DECIDE_HOLD,)


def add_holds(commands: Commands) -> None:
    here, texts = commands.group("holds", prefix="holds.", archive=True), commands.texts
    here.add("list", f"{AT}:holds_list").add_argument("--json", action="store_true", help=texts("cli.json_lines"))
    new = here.add("raise", f"{AT}:holds_raise", [Permission.RAISE_HOLD])
    which = new.add_mutually_exclusive_group(required=True)
    which.add_argument("id", nargs="?", type=word(texts), metavar="ID", help=texts("cli.archive.id"))
    which.add_argument("--number", metavar="NUMBER", help=texts("cli.holds.number"))
    asked = new.add_mutually_exclusive_group(required=True)
    asked.add_argument("--by", choices=["party", "controller"], help=texts("cli.holds.by"))
    asked.add_argument("--for", dest="raised_for", choices=["access"], help=texts("cli.holds.for"))
    new.add_argument("--why", required=True, metavar="TEXT", help=texts("cli.holds.why"))
    new.add_argument("--json", action="store_true", help=texts("cli.json_lines"))
    confirm, lift = here.add("confirm", f"{AT}:holds_confirm", DECIDES), here.add("lift", f"{AT}:holds_lift", DECIDES)
    close = here.add("close", f"{AT}:holds_close", DECIDES)
    for one in (confirm, lift, close):
        which = one.add_mutually_exclusive_group(required=True)
        which.add_argument("id", nargs="*", default=[], type=word(texts), metavar="HOLD", help=texts("cli.holds.id"))
        which.add_argument("--number", metavar="NUMBER", help=texts("cli.holds.of_number"))
    for one in (lift, close):
        one.add_argument("--yes", action="store_true", help=texts("cli.holds.yes"))
    confirm.add_argument(
        "--look-again", required=True, type=day(texts), metavar="DATE", help=texts("cli.holds.look_again")
    )
    lift.add_argument("--reason", required=True, metavar="TEXT", help=texts("cli.holds.reason"))
    how = close.add_mutually_exclusive_group(required=True)
    how.add_argument("--answered", type=day(texts), metavar="DATE", help=texts("cli.holds.answered"))
    how.add_argument("--reason", metavar="TEXT", help=texts("cli.holds.not_answered"))
    here.archive_behind()
