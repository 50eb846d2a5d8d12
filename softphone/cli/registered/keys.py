"""`klartone keys`: the key pairs of purposes, of the policy and of the house, in this user's keyring."""

from __future__ import annotations

from softphone.cli.registering import Commands
from softphone.cli.words import days, path, word

AT = "softphone.cli.keys"


def add_keys(commands: Commands) -> None:
    here, texts = commands.group("keys", prefix="keys.", archive=True), commands.texts
    create = here.add("create", f"{AT}:keys_create")
    purposes = ["documentation", "training", "custody", "policy", "house"]
    create.add_argument("purpose", choices=purposes, help=texts("cli.keys.purpose"))
    create.add_argument("--id", required=True, metavar="ID", help=texts("cli.keys.id"))
    here.add("list", f"{AT}:keys_list").add_argument("--json", action="store_true", help=texts("cli.json_lines"))
    export = here.add("export", f"{AT}:keys_export")
    rotate = here.add("rotate", f"{AT}:keys_rotate")
    revoke = here.add("revoke", f"{AT}:keys_revoke")
    for one in (export, rotate, revoke):
        one.add_argument("id", type=word(texts), metavar="ID", help=texts("cli.keys.which"))
    export.add_argument("--private", type=path(texts), metavar="FILE", help=texts("cli.keys.private"))
    revoke.add_argument("--yes", action="store_true", help=texts("cli.keys.yes"))
    rotate.add_argument("--to", required=True, metavar="ID", help=texts("cli.keys.to"))
    take = here.add("import", f"{AT}:keys_import")
    take.add_argument("file", type=path(texts), metavar="FILE", help=texts("cli.keys.file"))
    here.add("desk", "softphone.cli.house:keys_desk")
    certify = here.add("certify", "softphone.cli.house:keys_certify")
    certify.add_argument("key", type=word(texts), metavar="KEY", help=texts("cli.keys.desk_key"))
    certify.add_argument("--id", required=True, metavar="ID", help=texts("cli.keys.house_id"))
    certify.add_argument(
        "--for", dest="period", type=days(texts), default="P2Y", metavar="P2Y", help=texts("cli.keys.for")
    )
    escrow = here.group("escrow", prefix="keys.")
    make = escrow.add("make", f"{AT}:keys_escrow_make")
    make.add_argument("file", type=path(texts), metavar="FILE", help=texts("cli.keys.escrow_file"))
    restore = escrow.add("restore", f"{AT}:keys_escrow_restore")
    restore.add_argument("file", type=path(texts), metavar="FILE", help=texts("cli.keys.escrow_restore_file"))
    here.archive_behind()
    escrow.archive_behind()
