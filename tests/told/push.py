"""Opens a push and checks its VAPID token with implementations that are not the server's: http_ece and py-vapid.

Reads {"key", "auth", "body", "authorization"} in base64url from standard input; writes what was in it.
"""

import base64
import json
import sys

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02


def bytes_of(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


asked = json.load(sys.stdin)
key = ec.derive_private_key(int.from_bytes(bytes_of(asked["key"]), "big"), ec.SECP256R1())
clear = http_ece.decrypt(bytes_of(asked["body"]), private_key=key, auth_secret=bytes_of(asked["auth"]), version="aes128gcm")
# py-vapid wants no space where RFC 8292 shows one.
assert Vapid02.verify(asked["authorization"].replace(", ", ",")), "the VAPID token is not signed by its key"
token = asked["authorization"].split("t=")[1].split(",")[0]
claims = json.loads(bytes_of(token.split(".")[1]))
print(json.dumps({"payload": json.loads(clear), "claims": claims}))
