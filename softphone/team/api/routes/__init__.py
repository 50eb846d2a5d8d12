"""The routes, a module a subject. Each says who asks, hands on to the part that knows, and gives its answer: no rule stands here.

Nothing personal is in a URL. A number travels in bodies alone.
"""

from softphone.team.api.routes import (
    afterwards,
    arriving,
    finding,
    heads,
    holds,
    joined,
    judging,
    keys,
    log,
    news,
    reviews,
    rights,
    shared,
    signing_in,
)

SIGNING_IN = (signing_in.routes, keys.routes)
"""of the process that signs in"""
SERVED = (
    joined.routes,
    news.routes,
    arriving.routes,
    finding.routes,
    heads.routes,
    rights.routes,
    holds.routes,
    afterwards.routes,
    judging.routes,
    log.routes,
    reviews.routes,
    shared.routes,
)
