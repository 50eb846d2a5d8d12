"""One call's recording life, as pure code: `step` it through its events, `describe` what the desk may show.

    state, effects = step(state, event, now)
    status = describe(state, now)

During a call and its wrap-up nothing else in the program starts, stops or discards a recording.
"""

from softphone.domain.session.describing import describe
from softphone.domain.session.ending import passport
from softphone.domain.session.state import State
from softphone.domain.session.stepping import step

__all__ = ["State", "describe", "passport", "step"]
