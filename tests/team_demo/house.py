"""A house with its people, made by its commands: keys, a signed policy, accounts, links. The service is `tests.team.served`'s."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from softphone.audio.files import write_wav
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Role, role_of
from tests.journeys.lines import NUMBERS, policy_text
from tests.peers.counter import CYCLE, counter_sound
from tests.policies import write_notice
from tests.team.served import Team
from tests.team_demo.people import LOOPBACK, Person, settle

LINE = NUMBERS["n7"]
KEPT_BY = {KeyRole.DOCUMENTATION: "sofie", KeyRole.TRAINING: "lars", KeyRole.CUSTODY: "mette"}
"""who has which key: a case handler, a lead, data protection"""
IT = "ib"
_IDS = {KeyRole.DOCUMENTATION: "case-1", KeyRole.TRAINING: "lead-1", KeyRole.CUSTODY: "protection-1"}
_CARD = """
[[score]]
id = "tone"
name = { da = "Tonen", en = "Tone" }

[[team]]
id = "salg"
name = { da = "Salg", en = "Sales" }
agents = [%s]
lines = ["n7"]
leads = ["lead-1"]
"""


class NotMadeError(Exception):
    """What a command of the house said."""


@dataclass
class House:
    """`agents` by name. Nothing of theirs runs."""

    team: Team
    folder: Path
    agents: dict[str, Person] = field(default_factory=dict[str, Person])
    others: dict[str, Person] = field(default_factory=dict[str, Person])
    signer: str = ""

    @property
    def lead(self) -> Person:
        return self.others[KEPT_BY[KeyRole.TRAINING]]

    @property
    def handler(self) -> Person:
        return self.others[KEPT_BY[KeyRole.DOCUMENTATION]]

    @property
    def data_protection(self) -> Person:
        return self.others[KEPT_BY[KeyRole.CUSTODY]]

    @property
    def it(self) -> Person:
        return self.others[IT]

    def command(self, what: str, *words: str) -> str:
        """`klartone team …` on the server."""
        done = self.team.command(what, *words)
        if done.status != 0:
            raise NotMadeError(f"klartone team {what}: {done.errors}")
        return done.out

    def publish(
        self, agents: Sequence[str], *, spoken: bool, language: str, vouched: Callable[[str], str] | None = None
    ) -> None:
        """A policy for the keys that their people make, signed by data protection and taken in on the server. `vouched`: the word
        of whoever has signed before."""
        public: dict[str, str] = {}
        for role, name in KEPT_BY.items():
            person = self.others[name] = Person(self.folder, name)
            told = person.does("keys", "create", role.value, "--id", _IDS[role])
            public[role.value] = re.findall(r'public_key = "(.+)"', told)[0]
        signs = self.data_protection
        told = signs.does("keys", "create", "policy", "--id", "signer")
        self.signer = re.findall(r'policy_signer = "(.+)"', told)[0]
        told = signs.does("keys", "create", "house", "--id", "house")
        (certifies,) = re.findall(r"^keys = .+$", told, re.MULTILINE)
        keys = {"receipt_key": self.team.receipts, "head_key": self.team.heads}
        named = [
            f'{name} = "{base64.b64encode(one.public_key().public_bytes_raw()).decode()}"' for name, one in keys.items()
        ]
        card = _CARD % ", ".join(f'"{address_of(one)}"' for one in agents)
        top = "\n".join(["[house]", certifies, "policy_number = 7", *named, card])
        policy = self.folder / "policy" / "policy.toml"
        policy.parent.mkdir()
        policy.write_text(policy_text(public, lines=("n7",), spoken=True, language=language, top=top), "utf-8")
        if not spoken:
            self._record(policy, language)
        signs.does("policy", "sign", str(policy), "--id", "signer")
        words = ["--succession", vouched(self.signer)] if vouched else []
        self.command("policy", str(policy), "--signer", self.signer, *words)

    def certify(self, agent: Person) -> None:
        """Colleagues' desks believe what that agent's tells of a call that it transfers."""
        key = agent.does("keys", "desk").strip()
        told = self.data_protection.does("keys", "certify", key, "--id", "house")
        agent.does("settings", "set", "desk_certificate", re.findall(r'desk_certificate = "(.+)"', told)[0])

    def _record(self, policy: Path, language: str) -> None:
        """The line's notices are a sound of a second, under the hash by which a signed policy takes it."""
        sound = write_notice(policy.parent.parent / "said.wav")
        for notice in ("N7", "N1"):
            where = ("--policy", str(policy), "--notice", notice, "--language", language, "--from", str(sound))
            told = self.data_protection.does("policy", "record", "n7", *where)
            # The second's has the first in it.
            (table,) = re.findall(r"^sound = .+$", told, re.MULTILINE)
            policy.write_text(
                re.sub(r"repeat = 0\n(sound = .+)?", f"repeat = 0\n{table}", policy.read_text("utf-8")), "utf-8"
            )

    def joins(self, person: Person, role: Role) -> str:
        """By a link, which IT makes; what it was told."""
        agent = ["--agent", f"sip:{address_of(person.name)}"] if role is Role.AGENT else []
        link = self.command("invite", person.name, "--role", role.value, *agent, "--signer", self.signer)
        address = re.findall(r"https://\S+/join#\S+", link)[0]
        return person.does("join", address, "--authority", self.team.authority)

    def everybody_joins(self, agents: Sequence[str]) -> None:
        voice = self.folder / "agent.wav"
        if not voice.exists():
            write_wav(voice, counter_sound(CYCLE))
        for name in agents:
            self.command("account", "set", address_of(name), "--no-register")
            person = self.agents[name] = Person(self.folder, name)
            settle(person, voice)
            self.joins(person, Role.AGENT)
        for role, name in KEPT_BY.items():
            self.joins(self.others[name], role_of(role))
        self.others[IT] = Person(self.folder, IT)
        self.joins(self.others[IT], Role.IT)


def address_of(agent: str) -> str:
    return f"{agent}@{LOOPBACK}"
