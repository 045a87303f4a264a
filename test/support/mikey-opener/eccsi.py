"""ECCSI signatures (RFC 6507) over P-256 with SHA-256."""
from functools import lru_cache
from hashlib import sha256

from curve import Comb, add, affine, multiply, number, octets_of, point_of, require

P = number(0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF)
Q = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (number(0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296),
     number(0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5))


@lru_cache(maxsize=None)
def comb_of(point):
    return Comb(point, 256, P)


@lru_cache(maxsize=None)
def signer(uid, kpak, pvt):
    """HS and Y = [HS]PVT + KPAK, the same for all that a signer signs in a key period."""
    hs = sha256(octets_of(G, 32) + kpak + uid + pvt).digest()
    hs_pvt = multiply(int.from_bytes(hs, "big"), point_of(pvt, 32, P, B), P)
    return hs, add(hs_pvt, point_of(kpak, 32, P, B), P)


def verify(message, signature, uid, kpak):
    require(len(signature) == 129, "a signature of %d octets" % len(signature))
    r, s, pvt = signature[:32], int.from_bytes(signature[32:64], "big"), signature[64:]
    require(0 < s < Q, "s is out of range")
    hs, y = signer(uid, kpak, pvt)
    he = int.from_bytes(sha256(hs + r + message).digest(), "big")
    total = comb_of(G).add_multiple(None, s * he % Q)
    total = comb_of(y).add_multiple(total, s * int.from_bytes(r, "big") % Q)
    j = affine(total, P)
    require(j[0] == int.from_bytes(r, "big") != 0, "the signature does not verify")
