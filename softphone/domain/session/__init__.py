"""One call's recording life, as pure code: `step` takes it through its events, `describe` says what the desk may show.
    state, effects = step(state, event, now)
    status = describe(state, now)

During a call and its wrap-up nothing else in the program starts, stops or discards a recording. Later rights follow the same
rules, on a state that is `reopened` from what the archive has.
"""

from softphone.domain.session.asking_anew import may_ask_for_recording
from softphone.domain.session.describing import describe
from softphone.domain.session.ending import carried_answers
from softphone.domain.session.party import can_add_person
from softphone.domain.session.reopening import brought_up_to_date, reopened, same
from softphone.domain.session.state import State
from softphone.domain.session.stepping import step

__all__ = [
    "State",
    "brought_up_to_date",
    "can_add_person",
    "carried_answers",
    "describe",
    "may_ask_for_recording",
    "reopened",
    "same",
    "step",
]
