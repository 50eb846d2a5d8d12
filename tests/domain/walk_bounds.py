"""How far the walk goes: eight sets of bounds, each walked to its end, which share `session.md` out among them. No step is here.

The page's bounds together (all pauses, two holds, two recordings, a newcomer, every time-out, every transaction late or failing)
have more states than any machine comes to the end of. What is bounded away in one set is whole in another:

- *ordinary*: a notice played, read, failed, begun again; a newcomer; a hold; two recordings; a call held; the desk gone.
- *pauses*: all five pauses in every combination, with the time-outs of a pause for sensitive information.
- *other end*: the party's sound gone, late or from elsewhere, beside a call held, with somebody put through.
- *holds*: two holds, by whom they were raised and by whom they are undone.
- *two*: two holds on two recordings, whichever came first, of a party that has been told.
- *late*: every transaction on its way for any time, or failing; the recorder failing.
- *late hold*: the same with a hold, of a party that has been told.
- *keys*: opt-out keys of two digits, and an agent who wants digits.

In all but the late ones the store answers at once. What this could hide is a fault that needs things of different sets at once.
Pauses meet everything else in two questions alone, whether anything is silent and whether anything pauses all (`state.Pauses`); a
transaction on its way is met again only by its own acknowledgement (`segments.committed`, `commit_failed`), which the late walks
step with every event in between; a hold is placed, kept and lifted without a look at what the party was told, but for the refusal
that *ordinary* and *holds* walk with every notice; and a second hold is one more member of the same tuple.
"""

from dataclasses import replace

from tests.domain.walk import Bounds
from tests.domain.walk_scenes import CONSENT, SCENES, Start

ORDINARY = Bounds("ordinary", frozenset({"held", "desk_gone"}), holds=1, recordings=2)
PAUSES = Bounds("pauses", frozenset({"held", "consulting", "agent_gone", "sensitive", "desk_gone"}), together=4)
OTHER_END = Bounds("other end", frozenset({"held", "no_sound", "source_changed"}), together=2)
HOLDS = Bounds("holds", holds=2)
TWO = Bounds("two", holds=2, recordings=2, told=True, start=Start.RECORDED)
LATE = Bounds("late", frozenset({"held"}), late=True)
LATE_HOLD = Bounds("late hold", frozenset({"held"}), holds=1, late=True, told=True, start=Start.RECORDED)
KEYS = Bounds("keys", frozenset({"held"}), digits=True, opt_out_key="*9")
FAMILIES = (ORDINARY, PAUSES, OTHER_END, HOLDS, TWO, LATE, LATE_HOLD, KEYS)

SMALL = Bounds("small", frozenset({"held"}))
WITHOUT_HOLDING = Bounds("small")
"""for a call of two questions, which has twice as many states with it: N7 and N3 are held"""
AS_ANOTHER = ("N1 public task", "N6 obligation", "N7 obligation", "N3 read")
"""they differ little from a call that is walked"""
WALKED_ALWAYS = (
    ("none", ORDINARY),
    ("N4", LATE),
    *(
        (name, WITHOUT_HOLDING if name == "N6" else SMALL)
        for name, it in SCENES.items()
        if it.bases and "+" not in name and name not in AS_ANOTHER
    ),
)
"""to the end, in every run of the tests: every notice but the joined ones, with a newcomer, a call held, and every
time-out; and one with every transaction late or failing"""

AROUND = replace(
    LATE,
    name="around",
    pauses=PAUSES.pauses | OTHER_END.pauses,
    together=2,
    holds=2,
    recordings=2,
    digits=True,
    waiting=2,
    on_the_way=2,
    states=32,
)
STARTS = (Start.RECORDED, Start.RINGS, Start.HELD, Start.HALF, Start.ENDED, Start.TOLD)
HUNTS = (
    *(replace(ORDINARY, digits=True, start=it, states=30) for it in STARTS),
    *(replace(AROUND, start=it, states=30) for it in STARTS),
    *(replace(ORDINARY, digits=True, start=it, states=300) for it in STARTS),
    *(replace(AROUND, start=it, states=200) for it in STARTS),
    replace(ORDINARY, states=4000),
)
"""where a planted fault is looked for"""


def stages() -> list[tuple[str, Start]]:
    """Every stage that a call comes to: what rests on no yes is not asked, and only two yeses can come one by one."""
    out: list[tuple[str, Start]] = []
    for name, scene in SCENES.items():
        yeses = sum(basis is CONSENT for basis in scene.bases.values())
        needs = {Start.RINGS: True, Start.TOLD: yeses > 0, Start.HALF: yeses > 1}
        out.extend((name, it) for it in Start if needs.get(it, bool(scene.bases)))
    return out
