"""The day it is in the tests' house: its policies count in Danish time, so from eleven in the evening UTC it is tomorrow."""

from datetime import date, datetime

from softphone.domain.retention import local_day


def house_day(at: datetime) -> date:
    """The calendar day of `at` (aware) in the policies' time zone."""
    return local_day(at, "Europe/Copenhagen")
