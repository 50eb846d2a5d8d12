"""Plugins that misbehave in every way there is, written to disk as real folders for the real host to load."""

from __future__ import annotations

from pathlib import Path

from softphone.plugin.manifest import Plugin, read_plugin

GOOD = """\
def decide(facts, line, drawn):
    return not_recorded(Reason.LINE_NOT_RECORDED)
"""

WAYS = {
    "good": GOOD,
    # (a+)+$ on a text that does not match: minutes of work inside one call that never lets go of the interpreter lock
    "catastrophic": """\
import re
def decide(facts, line, drawn):
    re.match(r"(a+)+$", "a" * 60 + "!")
""",
    "throws": """\
def decide(facts, line, drawn):
    raise RuntimeError("+4520123456")
""",
    "nonsense": """\
def decide(facts, line, drawn):
    return {"documentation": "yes"}
""",
    "nothing": """\
def decide(facts, line, drawn):
    return None
""",
    "dies": """\
import os
def decide(facts, line, drawn):
    os._exit(3)
""",
    "slow": """\
import time
def decide(facts, line, drawn):
    time.sleep(30)
""",
    "chatty": """\
import os, sys
print("loaded")
def decide(facts, line, drawn):
    print('{"id": 1, "result": null}')
    os.write(1, b"raw bytes\\n")
    sys.stdout.flush()
    return not_recorded(Reason.LINE_NOT_RECORDED)
""",
    "unimportable": "import no_such_module_anywhere\n",
    "dies_on_import": "import os\nos._exit(4)\n",
    "too_bold": """\
def decide(facts, line, drawn):
    plan = PurposePlan(PlanState.PLANNED, Basis.CONSENT, Reason.CONSENT)
    return Decision(plan, plan, NoticeId.N7, NoticeDelivery.PLAY, (Reason.CONSENT,))
""",
    "curious": """\
def decide(facts, line, drawn):
    if set(type(line).model_fields) & {"recipient", "page", "contact"} or line.controller or line.id != facts.line:
        raise RuntimeError
    return not_recorded(Reason.PRIVATE)
""",
    "moody": """\
import pathlib
MOOD = pathlib.Path(__file__).with_name("mood")
def decide(facts, line, drawn):
    if MOOD.exists():
        raise RuntimeError
    return not_recorded(Reason.LINE_NOT_RECORDED)
""",
}

HEAD = """\
from softphone.domain.decision import Decision, NoticeDelivery, NoticeId, PlanState, PurposePlan, not_recorded
from softphone.domain.purpose import Basis, Reason
from softphone.plugin.spec import hookimpl
"""


def plugin(folder: Path, way: str) -> Plugin:
    """A rulebook that behaves in this way."""
    home = folder / way
    home.mkdir(parents=True)
    (home / "plugin.toml").write_text(f'id = "{way}"\nname = "{way}"\nversion = "1.0"\napi = 1\nhooks = ["decide"]\n')
    code = WAYS[way].replace("def decide", "@hookimpl\ndef decide")
    (home / "__init__.py").write_text(HEAD + code)
    return read_plugin(home)
