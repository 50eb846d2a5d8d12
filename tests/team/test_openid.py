"""Sign-in by the house's OpenID Connect: a real provider, the real service, and tokens that are not quite right."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey, RSAKey

from softphone.domain.errors import TeamError
from softphone.domain.roles import Role
from softphone.team.people.openid import OpenId
from softphone.team.settings import SignIn
from tests.peers.openid import Provider, provider
from tests.team.desk import Desk
from tests.team.served import Team, whole

pytestmark = [pytest.mark.peer("oidc-provider-mock"), pytest.mark.peer("postgresql")]
CLIENT = "klartone"


def sign_in(desk: Desk, token: str) -> Any:
    return desk.ask("POST", "/v1/token", {"grant": "id_token", "id_token": token, "desk": desk.id})


def thumbprint(desk: Desk) -> str:
    from tests.team.desk import b64url

    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": b64url(desk.public)}).thumbprint()


def forged(issued: Provider, nonce: str, **other: Any) -> str:
    """By somebody else's key, or by none of the issuer's kinds."""
    now = int(time.time())
    claims = {"iss": issued.issuer, "aud": CLIENT, "sub": "anna", "nonce": nonce, "iat": now, "exp": now + 300}
    return jwt.encode({"alg": "RS256"}, claims | other, RSAKey.generate_key(2048))


def test_a_token_is_good_for_one_client_ten_minutes_and_no_longer_than_it_says() -> None:
    key, now, settings = (
        RSAKey.generate_key(2048),
        int(time.time()),
        SignIn(issuer="https://login.test", client=CLIENT, roles={Role.LEAD: ["leads"]}),
    )
    openid = OpenId(settings, KeySet([key]), time.monotonic())
    whole = {"iss": settings.issuer, "aud": CLIENT, "sub": "anna", "nonce": "n", "iat": now, "exp": now + 300}

    def said(**other: Any) -> str:
        claims = {"groups": "leads", "sip": "anna@klartone.test"}
        token = jwt.encode({"alg": "RS256", "kid": key.kid}, whole | claims | other, key)
        try:
            identity = asyncio.run(openid.identify(token, "n", datetime.now(UTC)))
            assert identity.agents == ()  # who takes no calls has no address
            return identity.subject
        except TeamError as error:
            return error.code.removeprefix("error.team.")

    both = [CLIENT, "other"]
    assert said() == said(aud=both, azp=CLIENT) == "anna"
    for wrong in (
        {"aud": both},
        {"aud": both, "azp": "other"},
        {"aud": "other"},
        {"iss": "https://login.test/another-tenant"},  # whose tokens the same keys may sign
        {"nonce": "another desk's"},
        {"iat": now - 660, "exp": now + 10**8},
        {"iat": now - 120, "exp": now - 60},
        {"iat": now + 120},
        {"sub": "anna\x00"},
        {"sub": "anna\x1b[2J"},
    ):
        assert said(**wrong) == "sign_in_wrong", wrong


@pytest.mark.parametrize("answers", [True, False])
def test_however_many_bring_nonsense_the_issuer_is_asked_once(answers: bool) -> None:
    """Also one that is down: nobody waits for it again in the same moment."""
    keys = KeySet([RSAKey.generate_key(2048)]).as_dict(private=False)
    asked: list[str] = []

    class Issuer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            told = {"issuer": issuer, "jwks_uri": f"{issuer}/keys"} if "well-known" in self.path else keys
            data = json.dumps(told).encode()
            self.send_response(200 if answers else 503)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Issuer) as server:
        issuer = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever).start()
        openid = OpenId(SignIn(issuer=issuer, client=CLIENT, roles={Role.LEAD: ["leads"]}))

        async def all_at_once() -> set[str]:
            them = (openid.identify("a.b.c", "n", datetime.now(UTC)) for _ in range(60))
            told = await asyncio.gather(*them, return_exceptions=True)
            return {one.code for one in told if isinstance(one, TeamError)}

        code = "sign_in_wrong" if answers else "issuer_unreachable"
        assert asyncio.run(all_at_once()) == {f"error.team.{code}"}
        server.shutdown()
    assert len(asked) == (2 if answers else 1), asked


def test_who_the_house_signs_in_is_somebody_here_and_a_token_that_is_not_quite_right_is_nobody(team: Team) -> None:
    assert whole(team.stranger().ask("GET", "/v1/sign-in", proof=""))["issuer"] == ""
    assert sign_in(team.stranger(), "a.b.c").code == "sign_in_wrong"
    with provider() as issued:
        with team.settings.open("a") as of_sign_in:
            of_sign_in.write(
                f'issuer = "{issued.issuer}"\nclient = "{CLIENT}"\n'
                '[sign_in.roles]\nagent = ["callcentre"]\nlead = ["leads"]\n'
            )
        team.end()
        team.start()
        issued.knows("anna", groups=["callcentre", "canteen"], sip=["sip:anna@klartone.test"])
        issued.knows("lea", groups=["callcentre", "leads"], sip=[])
        issued.knows("eve", groups=["canteen"], sip=["sip:anna@klartone.test"])
        desk, other = team.stranger(), team.stranger()
        told = whole(desk.ask("GET", "/v1/sign-in", proof=""))
        assert (told["issuer"], told["client"]) == (issued.issuer, CLIENT)
        nonce = thumbprint(desk)
        good = issued.id_token("anna", CLIENT, nonce)
        said = {
            "another machine's": sign_in(other, good).code,
            "for another client": sign_in(desk, issued.id_token("anna", "other", nonce)).code,
            "no nonce of ours": sign_in(desk, issued.id_token("anna", CLIENT, "x" * 43)).code,
            "by another key": sign_in(desk, forged(issued, nonce)).code,
            "unsigned": sign_in(desk, "eyJhbGciOiJub25lIn0." + good.split(".")[1] + ".").code,
            "changed": sign_in(desk, good[:-4] + "AAAA").code,
            "nobody here": sign_in(desk, issued.id_token("eve", CLIENT, nonce)).code,
        }
        wrong = dict.fromkeys(said, "sign_in_wrong")
        assert said == wrong | {"nobody here": "no_role"}
        # Whoever joined by a code before: the same desk, by the same key, is theirs whom the directory names there.
        early = team.desk("agent", agents=[], name="an early one")
        moved = sign_in(early.with_token(""), issued.id_token("lea", CLIENT, thumbprint(early)))
        assert moved.status == 200
        assert early.ask("GET", "/v1/me").code == "signed_out"
        assert whole(early.with_token(moved.json["access_token"]).ask("GET", "/v1/me"))["roles"] == ["agent", "lead"]
        assert "desk_moved" in team.events()
        # From there it goes to nobody else.
        assert sign_in(early.with_token(""), issued.id_token("anna", CLIENT, thumbprint(early))).code == "not_yours"
        # Who is more than an agent is asked for again within the day.
        lead = team.stranger()
        assert sign_in(lead, issued.id_token("lea", CLIENT, thumbprint(lead))).status == 200
        taken = whole(sign_in(desk, good))
        query = "SELECT refresh_until < now() + interval '13 hours' FROM sessions WHERE desk = %s"
        assert (team.sql(query, lead.id), team.sql(query, desk.id)) == ([(True,)], [(False,)])
        desk.token = taken["access_token"]
        me = whole(desk.ask("GET", "/v1/me"))
        assert (me["roles"], me["agents"]) == (["agent"], ["anna@klartone.test"])
        assert team.sql("SELECT issuer, subject FROM people WHERE person = %s", me["person"]) == [
            (issued.issuer, "anna")
        ]
    team.end()
    team.start()
    assert sign_in(desk.with_token(""), good).code == "issuer_unreachable"
