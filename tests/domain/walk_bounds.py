"""How far the walk goes: nine sets of bounds, each walked to its end, which together cover the session's rules. No step is here.

All bounds together (all pauses, two holds, two recordings, a newcomer, every time-out, every transaction late or failing)
have more states than any machine comes to the end of. What is bounded away in one set is whole in another:

- *ordinary*: a notice played, read, failed, begun again; a newcomer; a hold; two recordings; a call held; the desk gone.
- *pauses*: all five pauses in every combination, with the time-outs of a pause for sensitive information.
- *other end*: the party's sound gone, late or from elsewhere, beside a call held, with somebody put through.
- *holds*: two holds, by whom they were raised and by whom they are undone.
- *two*: two holds on two recordings, whichever came first, of a party that has been told.
- *late*: every transaction on its way for any time, or failing; the recorder failing.
- *late hold*: the same with a hold, of a party that has been told.
- *keys*: opt-out keys of two digits, and an agent who wants digits.
- *conference*: somebody who joins by phone, and may leave untold, beside a newcomer, a question and a refusal.

In all but the late ones the store answers at once. What this could hide is a fault that needs things of different sets at once.
That does not happen for these reasons:

- Pauses meet everything else in two questions alone: whether anything is silent, and whether anything pauses all
  (`state.Pauses`).
- A transaction on its way is met again only by its own acknowledgement (`segments.committed`, `commit_failed`). The late
  walks step these with every event in between.
- A hold is placed, kept and lifted without regard to what the party was told. The exception is the refusal, which
  *ordinary* and *holds* walk with every notice.
- A second hold is one more member of the same tuple.
"""

from dataclasses import replace

from softphone.domain import events as e
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

# --- in every run of the tests --------------------------------------------------------------------------------------

NOT_NEAR = frozenset(
    {
        *(e.DisputeRaised, e.DisputeUndone, e.SensitivePaused, e.MoreTime, e.Resumed, e.AgentMediaChanged),
        *(e.ConsultationChanged, e.DeskChanged, e.DigitsWanted, e.RecorderFailed, e.StorageWorks),
        *(e.UpstreamVouched, e.UpstreamIgnored, e.RefusedBefore),
    }
)
"""what only *ordinary*, *pauses*, *holds*, *late* and the stages step"""
OTHER_SIDE = frozenset({e.PartySoundChanged, e.SourceChanged, e.SourceReturned})
NEWCOMER = frozenset({e.IdentityChanged, e.NewPerson, e.NotUnderstood})
ENDS_IT = frozenset(
    {
        *(e.PrivateCall, e.KeptOutOfTraining, e.Withdrawn, e.VoicemailAnswered, e.PreferenceSignalled, e.HandedOver),
        *(e.PartyAsksForRecording, e.Chosen, e.HoldSignalled, e.NoticeStopped, e.NoticeFailed, e.FinishedOrally),
    }
)

WAY_IN = Bounds("way in", frozenset({"held"}), without=NOT_NEAR | OTHER_SIDE | NEWCOMER)
TALK = Bounds(
    "talk",
    frozenset({"held", "no_sound", "source_changed"}),
    together=2,
    told=True,
    start=Start.RECORDED,
    without=NOT_NEAR,
)
PUT_THROUGH = Bounds(
    "put through",
    start=Start.RECORDED,
    without=NOT_NEAR | OTHER_SIDE | ENDS_IT | {e.NewPerson, e.NotUnderstood, e.AskedAgain},
)
CONFERENCE = Bounds(
    "conference",
    conference=True,
    start=Start.RECORDED,
    without=NOT_NEAR | OTHER_SIDE | ENDS_IT,
)
FAMILIES = (ORDINARY, PAUSES, OTHER_END, HOLDS, TWO, LATE, LATE_HOLD, KEYS, CONFERENCE)
LATE_WAY_IN = replace(LATE, name="late", without=WAY_IN.without - {e.RecorderFailed, e.StorageWorks})
WALKED_ALWAYS = (
    ("none", ORDINARY),
    ("N4", LATE_WAY_IN),
    *((name, CONFERENCE) for name in ("N1", "N3", "N7")),
    *(
        (name, bounds)
        for name, it in SCENES.items()
        # What another desk said is used up once the party has been told here: the stages step that.
        if it.bases and it.carried is None
        for bounds in (WAY_IN, TALK, PUT_THROUGH)
    ),
)
"""every call to the end, in three parts. How it comes to be recorded, with keys and a hold at the answer; what is said and
pressed in the talk, with the party's sound lost; somebody put through. Three with a conference, and one with every
transaction late or failing"""

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
    states=8,
)
FAR_AROUND = replace(AROUND, name="far around", states=300)
STARTS = (Start.RECORDED, Start.RINGS, Start.HELD, Start.HALF, Start.ENDED, Start.TOLD)
HUNTS = (
    *(replace(ORDINARY, digits=True, start=it, states=states) for it in STARTS for states in (170, 400)),
    *(replace(AROUND, start=it, states=states) for it in STARTS for states in (30, 200)),
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
