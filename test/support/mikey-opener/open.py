"""
Opens MIKEY-SAKKE I_MESSAGEs: a second opinion that shares no line with the product. RFC 3830 (payloads),
RFC 6507 (ECCSI), RFC 6508 (SAKKE), TS 33.180 5.2.3, 8.5.4, E.6, F.1.3, F.1.5, F.2.1. The standard library
is enough; with gmpy2 it is some four times as fast.

Reads one JSON object a line and writes one a line, in the same order. Octets are hexadecimal, the message
is base64:
  in:  message, member, initiator, rsk (the member's key)
       theirs: {uri, period, offset, key}   KMS of the member; key is its PubEncKey
       ours:   {uri, period, offset, key}   KMS of the initiator; key is its PubAuthKey
  out: member, csbId, keyId, key, rand,
       parameters: {keyType, status, activation, expiry, text, groups}, times in seconds since 1970; or error
"""
import base64
import hmac
import json
import os
import sys
from hashlib import sha256
from multiprocessing import Pool

import aes_gcm
import eccsi
import sakke
from curve import Refused, require

ROLE_INITIATOR, ROLE_RESPONDER, ROLE_KMS_I, ROLE_KMS_R = 1, 2, 6, 7
KEY_PARAMETERS = 7
# messages that are worth a process more
WORTH = 8


def shortest(value):
    return value.to_bytes(max(1, -(-value.bit_length() // 8)), "big")


def uid_of(uri, kms, seconds):
    period = (seconds - kms["offset"]) // kms["period"]
    parts = [b"MIKEY-SAKKE-UID", uri.encode(), kms["uri"].encode(),
             shortest(kms["period"]), shortest(kms["offset"]), shortest(period)]
    return sha256(b"\x00" + b"".join(part + len(part).to_bytes(2, "big") for part in parts)).digest()


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


def kdf(key, code, *parts):
    """TS 33.220 annex B."""
    text = bytes([code]) + b"".join(part + len(part).to_bytes(2, "big") for part in parts)
    return hmac.new(key, text, "sha256").digest()


def take(octets, *sizes):
    """Fields of these sizes; a size of None is for a length of two octets and what it counts."""
    fields, at = [], 0
    for size in sizes:
        if size is None:
            size = int.from_bytes(octets[at:at + 2], "big")
            at += 2
        fields.append(octets[at:at + size])
        at += size
    require(at <= len(octets), "it ends too early")
    return fields + [octets[at:]]


def key_parameters(data, key, csb_id):
    """A protected payload (8.5.4) with the content of table E.6.1-1 for a key of a group."""
    kind, _, algorithm, iv, dppk_id, _, sealed, rest = take(data, 1, 10, 1, 16, 4, 1, None)
    require(kind == b"\x43" and algorithm == b"\x01" and rest == b"", "parameters of another form")
    require(dppk_id == csb_id, "parameters of another DPPK-ID")
    clear = aes_gcm.decrypt(kdf(key, 0x53, dppk_id)[16:], iv, data[:32], sealed)
    key_type, status, activation, expiry, text, listed, rest = take(clear, 1, 4, 5, 5, None, None)
    require(rest == b"", "octets behind the parameters")
    count, left = take(listed, 1)
    groups = []
    for _ in range(count[0]):
        _, group, left = take(left, 1, None)
        groups.append(group.decode())
    require(left == b"", "octets behind the groups")
    whole = [int.from_bytes(each, "big") for each in (key_type, status, activation, expiry)]
    names = ("keyType", "status", "activation", "expiry")
    return {**dict(zip(names, whole)), "text": text.decode(), "groups": groups}


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
    eccsi.verify(parts["signed"], parts["sign"], signer, bytes.fromhex(ours["key"]))
    uid = uid_of(idr[ROLE_RESPONDER], theirs, seconds)
    rsk, z = bytes.fromhex(asked["rsk"]), bytes.fromhex(theirs["key"])
    key = sakke.decapsulate(parts["sed"], uid, rsk, z)
    csb_id = parts["csbId"]
    parameters = key_parameters(parts["ge"][KEY_PARAMETERS], key, csb_id)
    # the GUK-ID of this member, out of which its K-ID comes
    salt = kdf(key, 0x50, asked["member"].encode())[-4:]
    key_id = int.from_bytes(csb_id, "big") ^ (int.from_bytes(salt, "big") & 0x0FFFFFFF)
    mki = key_id.to_bytes(4, "big") + csb_id
    require(all(spi == mki for spi in parts["spi"]), "another MKI")
    return {"member": asked["member"], "csbId": csb_id.hex(), "keyId": "%08x" % key_id,
            "key": key.hex(), "rand": parts["rand"].hex(), "parameters": parameters}


def answer(line):
    try:
        return json.dumps(open_message(json.loads(line)))
    except Refused as refusal:
        return json.dumps({"error": str(refusal)})


def main():
    lines = sys.stdin.readlines()
    workers = min(os.cpu_count() or 1, len(lines) // WORTH)
    if workers < 2:
        for line in lines:
            print(answer(line))
        return
    with Pool(workers) as pool:
        for each in pool.imap(answer, lines, chunksize=WORTH):
            print(each)


if __name__ == "__main__":
    main()
