"""AES-128 in Galois/counter mode (FIPS 197, SP 800-38D), decryption alone, plainly and slowly."""
from curve import require


def doubled(octet):
    return octet << 1 ^ (0x11B if octet & 0x80 else 0)


def make_sbox():
    """Inverses in GF(2^8) by powers of the generator 3, then the affine map."""
    power, logs, powers = 1, {}, []
    for at in range(255):
        powers.append(power)
        logs[power] = at
        power ^= doubled(power)
    box = []
    for octet in range(256):
        inverse = powers[-logs[octet] % 255] if octet else 0
        value = 0x63
        for turn in range(5):
            value ^= (inverse << turn | inverse >> (8 - turn)) & 0xFF
        box.append(value)
    return box


SBOX = make_sbox()
# column j of a round takes its octets from these places of the state
SHIFTED = [(4 * column + 5 * row) % 16 for column in range(4) for row in range(4)]


def round_keys(key):
    require(len(key) == 16, "an AES key of %d octets" % len(key))
    words, constant = [key[at:at + 4] for at in range(0, 16, 4)], 1
    for at in range(4, 44):
        word = words[-1]
        if at % 4 == 0:
            word = bytes(SBOX[octet] for octet in word[1:] + word[:1])
            word = bytes([word[0] ^ constant]) + word[1:]
            constant = doubled(constant)
        words.append(bytes(a ^ b for a, b in zip(words[-4], word)))
    return [b"".join(words[at:at + 4]) for at in range(0, 44, 4)]


def encrypt_block(keys, block):
    state = bytes(a ^ b for a, b in zip(block, keys[0]))
    for number, key in enumerate(keys[1:], 1):
        moved = [SBOX[state[place]] for place in SHIFTED]
        if number < 10:
            mixed = []
            for at in range(0, 16, 4):
                column = moved[at:at + 4]
                every = column[0] ^ column[1] ^ column[2] ^ column[3]
                mixed += [column[row] ^ every ^ doubled(column[row] ^ column[(row + 1) % 4])
                          for row in range(4)]
            moved = mixed
        state = bytes(a ^ b for a, b in zip(moved, key))
    return state


def ghash(h, octets):
    total = 0
    for at in range(0, len(octets), 16):
        left = total ^ int.from_bytes(octets[at:at + 16], "big")
        total, factor = 0, h
        for place in range(127, -1, -1):
            if left >> place & 1:
                total ^= factor
            factor = factor >> 1 ^ (0xE1 << 120 if factor & 1 else 0)
    return total.to_bytes(16, "big")


def padded(octets):
    return octets + bytes(-len(octets) % 16)


def lengths(*parts):
    return b"".join((8 * len(part)).to_bytes(8, "big") for part in parts)


def decrypt(key, iv, aad, sealed):
    """Refuses what is not under its tag, the last 16 octets."""
    require(len(sealed) >= 16, "a ciphertext without a tag")
    ciphertext, tag = sealed[:-16], sealed[-16:]
    keys = round_keys(key)
    h = int.from_bytes(encrypt_block(keys, bytes(16)), "big")
    first = iv + b"\0\0\0\1" if len(iv) == 12 else ghash(h, padded(iv) + lengths(b"", iv))
    authentic = ghash(h, padded(aad) + padded(ciphertext) + lengths(aad, ciphertext))
    mask = encrypt_block(keys, first)
    require(tag == bytes(a ^ b for a, b in zip(authentic, mask)), "the tag does not verify")
    counter, clear = int.from_bytes(first[12:], "big"), b""
    for at in range(0, len(ciphertext), 16):
        counter = (counter + 1) & 0xFFFFFFFF
        stream = encrypt_block(keys, first[:12] + counter.to_bytes(4, "big"))
        clear += bytes(a ^ b for a, b in zip(ciphertext[at:at + 16], stream))
    return clear
