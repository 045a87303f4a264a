"""SAKKE with parameter set 1 (RFC 6508, RFC 6509 appendix A): SSVs out of SEDs."""
from functools import lru_cache
from hashlib import sha256

from curve import Comb, add_affine, affine, number, point_of, require

P = number(int(
    "997ABB1F0A563FDA65C61198DAD0657A416C0CE19CB48261BE9AE358B3E01A2E"
    "F40AAB27E2FC0F1B228730D531A59CB0E791B39FF7C88A19356D27F4A666A6D0"
    "E26C6487326B4CD4512AC5CD65681CE1B6AFF4A831852A82A7CF3C521C3C09AA"
    "9F94D6AF56971F1FFCE3E82389857DB080C5DF10AC7ACE87666D807AFEA85FEB", 16))
Q = (P + 1) // 4
BASE = (
    number(int(
        "53FC09EE332C29AD0A7990053ED9B52A2B1A2FD60AEC69C698B2F204B6FF7CBF"
        "B5EDB6C0F6CE2308AB10DB9030B09E1043D5F22CDB9DFA55718BD9E7406CE890"
        "9760AF765DD5BCCB337C86548B72F2E1A702C3397A60DE74A7C1514DBA66910D"
        "D5CFB4CC80728D87EE9163A5B63F73EC80EC46C4967E0979880DC8ABEAE63895", 16)),
    number(int(
        "0A8249063F6009F1F9F1F0533634A135D3E82016029906963D778D821E141178"
        "F5EA69F4654EC2B9E7F7F5E5F0DE55F66B598CCF9A140B2E416CFF0CA9E032B9"
        "70DAE117AD547C6CCAD696B5B7652FE0AC6F1E80164AA989492D979FC5A4D5F2"
        "13515AD7E9CB99A980BDAD5AD5BB4636ADB9B5706A67DCDE75573FD71BEF16D7", 16)))
OCTETS = 128
SSV_OCTETS = 16


def signed_digits(k):
    """Non-adjacent form, the highest digit first."""
    digits = []
    while k:
        digit = 2 - k % 4 if k & 1 else 0
        digits.append(digit)
        k = (k - digit) >> 1
    return digits[::-1]


STEPS = signed_digits(int(Q) - 1)[1:]


def pair(r, k):
    """
    The Tate-Lichtenbaum pairing <r, k> of RFC 6508 3.2, as v1 / v0. So factors of F_p fall out: no line is
    divided by anything, and vertical lines, which a signed digit brings, are left out. The last addition
    of q is the vertical line too, so the loop is over q - 1.
    """
    p = P
    kx, ky = k
    rx, ry = r
    v0, v1 = number(1), number(0)
    x, y, z = rx, ry, number(1)
    for digit in STEPS:
        zz = z * z % p
        m = 3 * (x - zz) * (x + zz) % p
        yy = y * y % p
        z = 2 * y * z % p
        line0 = (m * (kx * zz + x) - 2 * yy) % p
        line1 = z * zz % p * ky % p
        s = 4 * x * yy % p
        x = (m * m - 2 * s) % p
        y = (m * (s - x) - 8 * yy * yy) % p
        square0, square1 = (v0 + v1) * (v0 - v1) % p, 2 * v0 * v1 % p
        v0 = (square0 * line0 - square1 * line1) % p
        v1 = (square0 * line1 + square1 * line0) % p
        if digit:
            ay = ry if digit > 0 else -ry
            zz = z * z % p
            h = (rx * zz - x) % p
            t = (ay * zz * z - y) % p
            require(h, "the pairing met the point at infinity")
            # through (rx, ay) with slope t / zh, at (-kx, i ky)
            zh = z * h % p
            line0 = (t * (kx + rx) - ay * zh) % p
            line1 = zh * ky % p
            v0, v1 = (v0 * line0 - v1 * line1) % p, (v0 * line1 + v1 * line0) % p
            hh = h * h % p
            hhh = h * hh % p
            v = x * hh % p
            x = (t * t - hhh - 2 * v) % p
            y = (t * (v - x) - y * hhh) % p
            z = zh
    for _ in range(2):
        v0, v1 = (v0 + v1) * (v0 - v1) % p, 2 * v0 * v1 % p
    return v1 * pow(v0, -1, p) % p


def hash_to_range(octets, n, bits):
    a = sha256(octets).digest()
    h = bytes(32)
    value = b""
    for _ in range(-(-bits // 256)):
        h = sha256(h).digest()
        value += sha256(h + a).digest()
    return int.from_bytes(value, "big") % n


@lru_cache(maxsize=None)
def comb_of(point):
    return Comb(point, 1024, P)


@lru_cache(maxsize=None)
def master_of(z):
    return point_of(z, OCTETS, P, 0)


def decapsulate(sed, uid, rsk, z):
    require(len(sed) == 1 + 2 * OCTETS + SSV_OCTETS, "a SED of %d octets" % len(sed))
    r_b = point_of(sed[:1 + 2 * OCTETS], OCTETS, P, 0)
    w = int(pair(r_b, point_of(rsk, OCTETS, P, 0))).to_bytes(OCTETS, "big")
    hint = int.from_bytes(sed[1 + 2 * OCTETS:], "big")
    ssv = (hint ^ hash_to_range(w, 1 << 128, 128)).to_bytes(SSV_OCTETS, "big")
    # R_b has to be [r]([b]P + Z), which is [r b]P + [r]Z
    r = hash_to_range(ssv + uid, int(Q), 1022)
    total = comb_of(BASE).add_multiple(None, r * int.from_bytes(uid, "big") % int(Q))
    total = comb_of(master_of(z)).add_multiple(total, r)
    require(affine(total, P) == r_b, "R_b is not what the SSV makes it")
    return ssv
