"""The 49 torture messages of RFC 4475, by their names there."""

from tests.edge.rfc4475.invalid import INVALID
from tests.edge.rfc4475.meaning import MEANING
from tests.edge.rfc4475.valid import VALID

MESSAGES: dict[str, bytes] = {**VALID, **INVALID, **MEANING}
