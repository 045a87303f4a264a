"""
Opens MIKEY-SAKKE I_MESSAGEs with the standard library alone: a second opinion that shares no line
with the product. RFC 3830 (payloads), RFC 6507 (ECCSI), RFC 6508 (SAKKE), TS 33.180 5.2.3, F.1.3, F.2.1.

Reads one JSON object a line and writes one a line. Octets are hexadecimal, the message is base64:
  in:  message, member, initiator,
       rsk: the member's key, to open the message with; or
       ssv: what the message should carry, which is checked by making its SED anew
       theirs: {uri, period, offset, key}   KMS of the member; key is its PubEncKey
       ours:   {uri, period, offset, key}   KMS of the initiator; key is its PubAuthKey
  out: member, csbId, keyId, key, rand; or error
"""
import base64
import hashlib
import hmac
import json
import sys

P = int(
    "997ABB1F0A563FDA65C61198DAD0657A416C0CE19CB48261BE9AE358B3E01A2E"
    "F40AAB27E2FC0F1B228730D531A59CB0E791B39FF7C88A19356D27F4A666A6D0"
    "E26C6487326B4CD4512AC5CD65681CE1B6AFF4A831852A82A7CF3C521C3C09AA"
    "9F94D6AF56971F1FFCE3E82389857DB080C5DF10AC7ACE87666D807AFEA85FEB", 16)
Q = (P + 1) // 4
BASE = (
    int("53FC09EE332C29AD0A7990053ED9B52A2B1A2FD60AEC69C698B2F204B6FF7CBF"
        "B5EDB6C0F6CE2308AB10DB9030B09E1043D5F22CDB9DFA55718BD9E7406CE890"
        "9760AF765DD5BCCB337C86548B72F2E1A702C3397A60DE74A7C1514DBA66910D"
        "D5CFB4CC80728D87EE9163A5B63F73EC80EC46C4967E0979880DC8ABEAE63895", 16),
    int("0A8249063F6009F1F9F1F0533634A135D3E82016029906963D778D821E141178"
        "F5EA69F4654EC2B9E7F7F5E5F0DE55F66B598CCF9A140B2E416CFF0CA9E032B9"
        "70DAE117AD547C6CCAD696B5B7652FE0AC6F1E80164AA989492D979FC5A4D5F2"
        "13515AD7E9CB99A980BDAD5AD5BB4636ADB9B5706A67DCDE75573FD71BEF16D7", 16))
NIST_P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
NIST_Q = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
NIST_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
NIST_G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
          0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)
ROLE_INITIATOR, ROLE_RESPONDER, ROLE_KMS_I, ROLE_KMS_R = 1, 2, 6, 7


class Refused(Exception):
    pass


def require(holds, what):
    if not holds:
        raise Refused(what)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def double(point, p):
    """On y^2 = x^3 - 3x + b, in Jacobian coordinates; None is the point at infinity."""
    if point is None:
        return None
    x, y, z = point
    zz = z * z % p
    m = 3 * (x - zz) * (x + zz) % p
    s = 4 * x * y * y % p
    x3 = (m * m - 2 * s) % p
    return x3, (m * (s - x3) - 8 * pow(y, 4, p)) % p, 2 * y * z % p


def add_affine(point, other, p):
    if point is None:
        return other[0], other[1], 1
    x, y, z = point
    zz = z * z % p
    h = (other[0] * zz - x) % p
    r = (other[1] * zz * z - y) % p
    if h == 0:
        return double(point, p) if r == 0 else None
    hh = h * h % p
    hhh = h * hh % p
    v = x * hh % p
    x3 = (r * r - hhh - 2 * v) % p
    return x3, (r * (v - x3) - y * hhh) % p, z * h % p


def affine(point, p):
    x, y, z = point
    inverse = pow(z, -1, p)
    return x * inverse * inverse % p, y * pow(inverse, 3, p) % p


def multiply(k, point, p):
    total = None
    for bit in bin(k)[2:]:
        total = double(total, p)
        if bit == "1":
            total = add_affine(total, point, p)
    return total


def add(a, b, p):
    """Of two affine points."""
    return affine(add_affine((a[0], a[1], 1), b, p), p)


def point_of(octets, length, p, b):
    require(len(octets) == 1 + 2 * length and octets[0] == 4, "no uncompressed point")
    x = int.from_bytes(octets[1:1 + length], "big")
    y = int.from_bytes(octets[1 + length:], "big")
    require(x < p and y < p and (y * y - x * x * x + 3 * x - b) % p == 0, "not on the curve")
    return x, y


def octets_of(point, length):
    return b"\x04" + point[0].to_bytes(length, "big") + point[1].to_bytes(length, "big")


def pair(r, k):
    """The Tate-Lichtenbaum pairing <r, k> of RFC 6508 3.2; line values scaled by factors of F_p."""
    v0, v1 = 1, 0
    x, y, z = r[0], r[1], 1
    for bit in bin(Q - 1)[3:]:
        zz = z * z % P
        m = 3 * (x - zz) * (x + zz) % P
        yy = y * y % P
        line0 = (m * (k[0] * zz + x) - 2 * yy) % P
        line1 = 2 * y * z % P * zz % P * k[1] % P
        v0, v1 = (v0 + v1) * (v0 - v1) % P, 2 * v0 * v1 % P
        v0, v1 = (v0 * line0 - v1 * line1) % P, (v0 * line1 + v1 * line0) % P
        s = 4 * x * yy % P
        x3 = (m * m - 2 * s) % P
        x, y, z = x3, (m * (s - x3) - 8 * yy * yy) % P, 2 * y * z % P
        if bit == "1":
            zz = z * z % P
            zzz = z * zz % P
            line0 = ((k[0] + r[0]) * y - (k[0] * zz + x) * z % P * r[1]) % P
            line1 = (x - r[0] * zz) % P * z % P * k[1] % P
            v0, v1 = (v0 * line0 - v1 * line1) % P, (v0 * line1 + v1 * line0) % P
            # the last addition, in the last bit of q - 1, never comes: q - 1 is even
            added = add_affine((x, y, z), r, P)
            require(added is not None, "the pairing met the point at infinity")
            x, y, z = added
    for _ in range(2):
        v0, v1 = (v0 + v1) * (v0 - v1) % P, 2 * v0 * v1 % P
    return v1 * pow(v0, -1, P) % P


def hash_to_range(octets, n, bits):
    a = sha256(octets)
    h = bytes(32)
    value = b""
    for _ in range(-(-bits // 256)):
        h = sha256(h)
        value += sha256(h, a)
    return int.from_bytes(value, "big") % n


def decapsulate(sed, uid, rsk, z):
    require(len(sed) == 273, "a SED of %d octets" % len(sed))
    r_b = point_of(sed[:257], 128, P, 0)
    w = pair(r_b, point_of(rsk, 128, P, 0)).to_bytes(128, "big")
    ssv = int.from_bytes(sed[257:], "big") ^ hash_to_range(w, 1 << 128, 128)
    ssv = ssv.to_bytes(16, "big")
    r = hash_to_range(ssv + uid, Q, 1022)
    master = point_of(z, 128, P, 0)
    identity = affine(multiply(int.from_bytes(uid, "big"), BASE, P), P)
    test = affine(multiply(r, add(identity, master, P), P), P)
    require(test == r_b, "R_b is not what the SSV makes it")
    return ssv


WINDOW = 6
MASK = (1 << WINDOW) - 1
COMBS = {}
POWERS = []


def comb_of(point):
    """[d * 64^i]point for every digit d and place i of a scalar, affine."""
    if point in COMBS:
        return COMBS[point]
    rows, base = [], (point[0], point[1], 1)
    for _ in range(-(-1022 // WINDOW)):
        first = affine(base, P)
        row = [(first[0], first[1], 1)]
        for _ in range(MASK - 1):
            row.append(add_affine(row[-1], first, P))
        rows.append(row)
        base = add_affine(row[-1], first, P)
    flat = [entry for row in rows for entry in row]
    running, products = 1, []
    for _, _, z in flat:
        products.append(running)
        running = running * z % P
    running = pow(running, -1, P)
    for at in reversed(range(len(flat))):
        x, y, z = flat[at]
        inverse = running * products[at] % P
        running = running * z % P
        square = inverse * inverse % P
        flat[at] = (x * square % P, y * square * inverse % P)
    COMBS[point] = [flat[at:at + MASK] for at in range(0, len(flat), MASK)]
    return COMBS[point]


def add_multiple(total, k, point):
    for row in comb_of(point):
        if k & MASK:
            total = add_affine(total, row[(k & MASK) - 1], P)
        k >>= WINDOW
    return total


def times(a, b):
    """In F_p^2."""
    return (a[0] * b[0] - a[1] * b[1]) % P, (a[0] * b[1] + a[1] * b[0]) % P


def power_of_g(k):
    """The representative of g^k, g being <P, P>."""
    if not POWERS:
        base = (1, pair(BASE, BASE))
        for _ in range(-(-1022 // WINDOW)):
            row = [base]
            for _ in range(MASK - 1):
                row.append(times(row[-1], base))
            POWERS.append(row)
            base = times(row[-1], base)
    value = (1, 0)
    for row in POWERS:
        if k & MASK:
            value = times(value, row[(k & MASK) - 1])
        k >>= WINDOW
    return value[1] * pow(value[0], -1, P) % P


def encapsulate(ssv, uid, z):
    """RFC 6508 6.2.1: what every SED of this SSV for this identity has to be."""
    r = hash_to_range(ssv + uid, Q, 1022)
    total = add_multiple(None, r * int.from_bytes(uid, "big") % Q, BASE)
    r_b = affine(add_multiple(total, r, point_of(z, 128, P, 0)), P)
    mask = hash_to_range(power_of_g(r).to_bytes(128, "big"), 1 << 128, 128)
    hint = int.from_bytes(ssv, "big") ^ mask
    return octets_of(r_b, 128) + hint.to_bytes(16, "big")


def verify(message, signature, uid, kpak):
    require(len(signature) == 129, "a signature of %d octets" % len(signature))
    r, s, pvt = signature[:32], int.from_bytes(signature[32:64], "big"), signature[64:]
    hs = sha256(octets_of(NIST_G, 32), kpak, uid, pvt)
    he = int.from_bytes(sha256(hs, r, message), "big")
    pvt_point = point_of(pvt, 32, NIST_P, NIST_B)
    kpak_point = point_of(kpak, 32, NIST_P, NIST_B)
    hs_pvt = affine(multiply(int.from_bytes(hs, "big"), pvt_point, NIST_P), NIST_P)
    y = add(hs_pvt, kpak_point, NIST_P)
    he_g = affine(multiply(he % NIST_Q, NIST_G, NIST_P), NIST_P)
    r_y = affine(multiply(int.from_bytes(r, "big"), y, NIST_P), NIST_P)
    j = affine(multiply(s, add(he_g, r_y, NIST_P), NIST_P), NIST_P)
    require(j[0] == int.from_bytes(r, "big") != 0, "the signature does not verify")


def number(value):
    return value.to_bytes(max(1, -(-value.bit_length() // 8)), "big")


def uid_of(uri, kms, seconds):
    period = (seconds - kms["offset"]) // kms["period"]
    parts = [b"MIKEY-SAKKE-UID", uri.encode(), kms["uri"].encode(),
             number(kms["period"]), number(kms["offset"]), number(period)]
    return sha256(b"\x00", *(part + len(part).to_bytes(2, "big") for part in parts))


def payloads_of(message):
    """RFC 3830 chain: what is needed of each payload, by type; identities by their role."""
    require(message[0] == 1 and message[1] == 26, "no SAKKE I_MESSAGE")
    found = {"csbId": message[4:8], "idr": {}, "ge": {}, "spi": []}
    require(message[9] == (2 if message[8] else 1), "the map is neither empty nor of GENERIC-IDs")
    kind, at = message[2], 10
    for _ in range(message[8]):
        at += 3 + (message[at + 2] & 0x7F)
        at += 2 + int.from_bytes(message[at:at + 2], "big")
        found["spi"].append(message[at + 1:at + 1 + message[at]])
        at += 1 + message[at]
    while True:
        if kind == 4:
            length = int.from_bytes(message[at:at + 2], "big") & 0xFFF
            require(message[at] >> 4 == 2, "no ECCSI signature")
            found["signed"], found["sign"] = message[:at + 2], message[at + 2:at + 2 + length]
            require(at + 2 + length == len(message), "octets behind the signature")
            return found
        following, at = message[at], at + 1
        if kind == 5:
            found["t"] = message[at + 1:at + 9]
            at += 9
        elif kind == 11:
            length = message[at]
            found["rand"] = message[at + 1:at + 1 + length]
            at += 1 + length
        elif kind == 14:
            length = int.from_bytes(message[at + 2:at + 4], "big")
            found["idr"][message[at]] = message[at + 4:at + 4 + length].decode()
            at += 4 + length
        elif kind in (10, 26):
            length = int.from_bytes(message[at + 2:at + 4], "big")
            if kind == 26:
                require(message[at:at + 2] == b"\x01\x02", "SAKKE parameters")
                found["sed"] = message[at + 4:at + 4 + length]
            at += 4 + length
        elif kind == 21:
            length = int.from_bytes(message[at + 1:at + 3], "big")
            found["ge"][message[at]] = message[at + 3:at + 3 + length]
            at += 3 + length
        else:
            raise Refused("payload %d is not known" % kind)
        kind = following


def open_message(asked):
    message = base64.b64decode(asked["message"], validate=True)
    parts = payloads_of(message)
    idr, ours, theirs = parts["idr"], asked["ours"], asked["theirs"]
    require(idr.get(ROLE_INITIATOR) == asked["initiator"], "another initiator")
    require(idr.get(ROLE_RESPONDER) == asked["member"], "another responder")
    require(idr.get(ROLE_KMS_I) == ours["uri"], "another KMS of the initiator")
    require(idr.get(ROLE_KMS_R) == theirs["uri"], "another KMS of the responder")
    seconds = int.from_bytes(parts["t"][:4], "big")
    signer = uid_of(idr[ROLE_INITIATOR], ours, seconds)
    verify(parts["signed"], parts["sign"], signer, bytes.fromhex(ours["key"]))
    uid = uid_of(idr[ROLE_RESPONDER], theirs, seconds)
    z = bytes.fromhex(theirs["key"])
    if "rsk" in asked:
        key = decapsulate(parts["sed"], uid, bytes.fromhex(asked["rsk"]), z)
    else:
        key = bytes.fromhex(asked["ssv"])
        require(encapsulate(key, uid, z) == parts["sed"], "the SED is not that of this SSV")
    # key parameters: protected under the GUK-ID of this very message (8.5.4, E.6.1)
    require(parts["ge"][7][28:32] == parts["csbId"], "parameters of another DPPK-ID")
    uri = asked["member"].encode()
    salt = hmac.new(key, b"\x50" + uri + len(uri).to_bytes(2, "big"), "sha256").digest()[-4:]
    csb_id = int.from_bytes(parts["csbId"], "big")
    key_id = csb_id ^ (int.from_bytes(salt, "big") & 0x0FFFFFFF)
    mki = key_id.to_bytes(4, "big") + parts["csbId"]
    require(all(spi == mki for spi in parts["spi"]), "another MKI")
    return {"member": asked["member"], "csbId": parts["csbId"].hex(),
            "keyId": "%08x" % key_id, "key": key.hex(), "rand": parts["rand"].hex()}


for line in sys.stdin:
    try:
        answer = open_message(json.loads(line))
    except Refused as refusal:
        answer = {"error": str(refusal)}
    print(json.dumps(answer), flush=True)
