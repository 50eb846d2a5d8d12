"""The next version, whole: a program of its own with a table's step, functions that changed and one that is new.

It is put in while the old one serves, and both serve one house with desks of both.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from softphone import __version__
from softphone.team.schema import HEAD
from tests.peers.processes import until
from tests.team.desk import Desk, made
from tests.team.served import Team, whole

pytestmark = [pytest.mark.peer("seaweedfs"), pytest.mark.peer("postgresql")]
ROOT = Path(__file__).parents[2]
NEXT, STEP = "0.2.0", f"{int(HEAD) + 1:04}"
_STEP = """
from alembic import op
from softphone.team.schema import steps

revision, down_revision = "{step}", "{head}"


def upgrade() -> None:
    steps.as_owner(op, "tables/{step}_next")
"""
_MAIN = "import sys; from softphone.cli import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A copy of this one, changed as a next version is: a column, a function that fills it, and one that the old one lacks."""
    there = tmp_path / "next"
    shutil.copytree(ROOT / "softphone", there / "softphone", ignore=shutil.ignore_patterns("__pycache__"))
    for one in ("resources", "plugins"):
        (there / one).symlink_to(ROOT / one)
    schema = there / "softphone" / "team" / "schema"

    def edit(path: Path, old: str, new: str) -> None:
        text = path.read_text("utf-8")
        assert text.count(old) == 1, (path, old)
        path.write_text(text.replace(old, new), "utf-8")

    edit(there / "softphone" / "__init__.py", __version__, NEXT)
    edit(schema / "__init__.py", f'HEAD = "{HEAD}"', f'HEAD = "{STEP}"')
    # A table whose row a function takes gets no column with a default (ADR 080).
    step = "ALTER TABLE recordings ADD COLUMN arrived_by text;\n"
    (schema / "tables" / f"{STEP}_next.sql").write_text(step)
    (schema / "migrations" / "versions" / f"{STEP}_next.py").write_text(_STEP.format(step=STEP, head=HEAD))
    edit(
        schema / "functions" / "arriving.sql",
        "    DELETE FROM uploads u WHERE u.recording = of;\n    PERFORM note('recording_arrived'",
        "    DELETE FROM uploads u WHERE u.recording = of;\n    UPDATE recordings SET arrived_by = 'next' WHERE recording = of;\n"
        "    PERFORM note('recording_arrived'",
    )
    new = "\nCREATE FUNCTION only_next() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER\n"
    new += "    SET search_path = klartone, pg_temp AS $$ SELECT 'next' $$;\n"
    path = schema / "functions" / "heads.sql"
    path.write_text(path.read_text("utf-8") + new, "utf-8")
    edit(
        schema / "functions" / "grants.sql",
        "    head_last(), log_countersign(),\n",
        "    head_last(), log_countersign(), only_next(),\n",
    )
    return there


def begun(team: Team, program: Path, what: str, *words: str) -> subprocess.Popen[str]:
    line = [sys.executable, "-c", _MAIN, "team", what, *words, "--settings", str(team.settings)]
    environment = os.environ | team.environment | {"PYTHONPATH": str(program), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        line, cwd=program, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def done(team: Team, program: Path, what: str, *words: str) -> tuple[int, str]:
    process = begun(team, program, what, *words)
    out, errors = process.communicate(timeout=120)
    return process.returncode, out + errors


@contextmanager
def serving(team: Team, program: Path) -> Generator[int]:
    """The port of an instance of the next version."""
    process = begun(team, program, "serve")
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        (port,) = re.findall(r":(\d+)", said) or [""]
        assert port, process.communicate(timeout=10)
        yield int(port)
    finally:
        process.terminate()
        process.communicate(timeout=30)


def at(desk: Desk, port: int) -> Desk:
    """The same desk, at another instance."""
    other = desk.with_token(desk.token)
    other.port = port
    return other


@pytest.mark.rule("G10")
def test_a_next_version_is_put_in_while_the_old_one_serves_and_both_serve_one_house(team: Team, program: Path) -> None:
    anna, bo = team.desk("agent", name="anna"), team.desk("agent", name="bo")
    before = made(team.keys)
    whole(anna.upload(before))
    assert team.command("sweep").status == 0
    # While it is put in, a desk of the old version ships, and nothing of that is refused.
    stop, shipped, refused = threading.Event(), list[str](), list[str]()

    def ships() -> None:
        while not stop.is_set():
            one = made(team.keys)
            answer = anna.upload(one)
            (shipped if answer.status == 200 else refused).append(one.recording)

    ship = threading.Thread(target=ships)
    ship.start()
    until(lambda: len(shipped) > 1, 30, "that it ships")
    code, said = done(team, program, "init", "--user", team.server.user)
    then = len(shipped)
    until(lambda: len(shipped) > then + 1, 30, "that it goes on shipping")
    stop.set()
    ship.join()
    assert (code, f"step {STEP}" in said, refused) == (0, True, []), said
    # What was there is there, and what the functions do now they do for the old service too.
    by = dict(team.sql("SELECT recording::text, arrived_by FROM recordings"))
    assert (by[before.recording], by[shipped[-1]]) == (None, "next")
    # The old program says so, goes on, and puts nothing back.
    checked = team.command("serve", "--check")
    assert (checked.status, NEXT in checked.errors) == (0, True), checked
    assert team.command("init", "--user", team.server.user).status == 1
    assert team.sql("SELECT only_next()") == [("next",)]
    with serving(team, program) as port:
        # Desks of both, at instances of both, with the sessions that they have.
        theirs = [made(team.keys) for _ in range(4)]
        for desk, one in zip((anna, bo, at(anna, port), at(bo, port)), theirs, strict=True):
            assert whole(desk.upload(one))["state"] == "stored"
        for desk in (anna, at(anna, port)):
            assert whole(desk.ask("GET", "/v1/me"))["desk"] == anna.id
            assert desk.begin(theirs[0]).json["state"] == "stored"
        fresh = team.stranger()
        whole(fresh.take(team.code("agent", name="carl")))
        assert whole(at(fresh, port).ask("GET", "/v1/me"))["roles"] == ["agent"]
    # Both sweep and compare what both have written.
    assert [team.command(what).status for what in ("sweep", "verify")] == [0, 0]
    assert [done(team, program, what)[0] for what in ("sweep", "verify")] == [0, 0]
    assert len(team.kept()) == len(by) + 4
