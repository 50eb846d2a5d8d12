"""What a desk's house says to it: as an organisation's settings for a machine, and below those.

The service that sends them may have been taken over. So it says nothing about what is recorded, where that lies and what is
loaded: that comes from the signed policy, the machine and the user.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from softphone.system.settings_machine import MachineFault, MachineSettings, with_bytes
from softphone.system.settings_schema import SETTINGS, Scope

_NOT_ITS = frozenset(
    {
        *("accounts", "backup", "backup_every"),
        # What the party hears and the recording has, and who may call beside the accounts' own servers.
        *("microphone", "microphone_volume", "speaker", "noise", "echo", "accept_from"),
    }
)
"""accounts come by themselves"""
MAY = frozenset(
    key for key, one in SETTINGS.items() if one.scope is Scope.BOTH and not one.holds_recording and key not in _NOT_ITS
)
"""what a house may say something about"""
_POLICY = ("policy", "policy_signer", "policy_guarded")


@dataclass(frozen=True, slots=True)
class HouseSays:
    """`place`: the house's address. `policy`: the file as it was taken in, empty: none yet; `signer`: whom the desk believes.

    `accounts` as settings have them; None: the house sets none up. `faulty`: a code; what it says could not be read.
    """

    place: str
    policy: str = ""
    signer: str = ""
    accounts: tuple[Mapping[str, Any], ...] | None = None
    settings: bytes = b""
    faulty: str = ""


def from_house(raw: bytes, place: str) -> MachineSettings:
    """What can be used of it. The rest is among the faults and locks nothing."""
    from softphone.domain.policy import PolicyFault

    found = with_bytes(MachineSettings(), place, raw)
    faults = list(found.faults)
    faults += [
        MachineFault(place, PolicyFault(None, key, "settings.fault.not_the_houses", {"name": key}))
        for key in (*found.default, *found.locked)
        if key not in MAY
    ]
    default = {key: value for key, value in found.default.items() if key in MAY}
    locked = {key: value for key, value in found.locked.items() if key in MAY}
    return MachineSettings(default, locked, dict.fromkeys((*default, *locked), place), tuple(faults))


def with_house(machine: MachineSettings, says: HouseSays) -> MachineSettings:
    """The machine's own word stands above its house's, in what it locks and in what it only gives as a default."""
    house = from_house(says.settings, says.place) if says.settings else MachineSettings()
    locked = dict(house.locked)
    if not any(key in machine.locked for key in _POLICY):
        locked |= {"policy": says.policy, "policy_signer": says.signer, "policy_guarded": False}
    if says.accounts is not None:
        locked["accounts"] = _accounts(says.accounts)
    locked |= machine.locked
    default = {**house.default, **machine.default}
    of_house = dict.fromkeys((*house.default, *locked), says.place)
    told = {
        key: place
        for key, place in machine.places.items()
        if key not in locked or key in machine.locked or key not in of_house
    }
    faults = machine.faults
    if says.faulty:
        from softphone.domain.policy import PolicyFault

        faults = (*faults, MachineFault(says.place, PolicyFault(None, "", says.faulty)))
    return replace(
        machine,
        default={key: value for key, value in default.items() if key not in locked},
        locked=locked,
        places={**of_house, **told},
        faults=faults,
        unrecorded=machine.unrecorded or (says.place if says.faulty else ""),
    )


def _accounts(told: tuple[Mapping[str, Any], ...]) -> tuple[Any, ...]:
    """Those that can be used."""
    from softphone.system.settings_faults import usable

    return tuple(usable({"accounts": [dict(one) for one in told]}, (), {}).values.get("accounts", ()))
