"""A client of the embedded authorization server, written with requests_oauth2client alone.

`ask …` is a line for the test, which answers with a line; `passed …` is a step that holds.
Arguments: issuer, client, its private key as a JWK, its redirect URI, an API, `plain`.
"""

import json
import sys

import requests
from requests_oauth2client import BearerToken, InvalidGrant, OAuth2Client, PrivateKeyJwt

issuer, client_id, key, redirect_uri, api, _kind = sys.argv[1:]


def ask(question: str, detail: str) -> str:
    print("ask", question, detail, flush=True)
    return sys.stdin.readline().strip()


def holds(condition: bool, step: str) -> None:
    if not condition:
        raise SystemExit(f"does not hold: {step}")
    print("passed", step, flush=True)


client = OAuth2Client.from_discovery_endpoint(
    issuer=issuer,
    # The audience is the issuer, not the endpoint.
    auth=PrivateKeyJwt(client_id, json.loads(key), alg="ES256", aud=issuer),
    redirect_uri=redirect_uri,
    id_token_signed_response_alg="ES256",
    dpop_bound_access_tokens=True,
    # Takes plain http on loopback.
    testing=True,
)

request = client.authorization_request(scope="openid profile offline_access orders")
pushed = client.pushed_authorization_request(request)
answer = request.validate_callback(ask("login", str(pushed)))
holds(answer.iss == issuer and answer.state == request.state, "iss and state of the answer")

# Its own `validate` makes the token anew and loses the key on the way: its checks are made on a copy without one.
tokens = client.authorization_code(answer, validate=False)
BearerToken(tokens.access_token, id_token=str(tokens.id_token)).validate_id_token(client, answer)
holds(tokens.id_token.issuer == issuer and tokens.id_token.subject == "user-alice", "login")
holds(client.userinfo(tokens)["name"] == "Alice Liddell", "userinfo")
holds(requests.get(api, auth=tokens, timeout=60).status_code == 200, "API")
holds(requests.get(api, timeout=60).status_code == 401, "API without a token")
known = client.introspect_token(tokens)
holds(known["active"] and known["cnf"]["jkt"] == answer.dpop_key.dpop_jkt, "introspection")

ask("rotate", "-")
refreshed = client.refresh_token(tokens)
client.update_authorization_server_public_keys()
signed_with = client.authorization_server_jwks.get_jwk_by_kid(refreshed.id_token.kid)
holds(refreshed.id_token.verify_signature(signed_with, alg="ES256"), "refresh")
holds(refreshed.id_token.kid != tokens.id_token.kid, "key rotation")
holds(requests.get(api, auth=refreshed, timeout=60).status_code == 200, "API after key rotation")

holds(client.revoke_refresh_token(tokens), "revocation")
holds(not client.introspect_token(refreshed)["active"], "introspection after revocation")
try:
    client.refresh_token(tokens)
    holds(False, "refresh after revocation")
except InvalidGrant:
    holds(True, "refresh after revocation")

metadata = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=60).json()
ask("logout", f"{metadata['end_session_endpoint']}?id_token_hint={tokens.id_token}")
holds(True, "logout")
