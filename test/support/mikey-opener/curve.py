"""
Points of y^2 = x^3 - 3x + b over a prime field, in Jacobian coordinates; None is the point at infinity.
With gmpy2 the numbers are GMP's, without it Python's own, which take some four times as long.
"""
try:
    from gmpy2 import mpz as number
except ImportError:
    number = int


class Refused(Exception):
    pass


def require(holds, what):
    if not holds:
        raise Refused(what)


def double(point, p):
    if point is None:
        return None
    x, y, z = point
    zz = z * z % p
    m = 3 * (x - zz) * (x + zz) % p
    yy = y * y % p
    s = 4 * x * yy % p
    x3 = (m * m - 2 * s) % p
    return x3, (m * (s - x3) - 8 * yy * yy) % p, 2 * y * z % p


def add_affine(point, other, p):
    if point is None:
        return other[0], other[1], number(1)
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
    require(point is not None, "the point at infinity")
    x, y, z = point
    inverse = pow(z, -1, p)
    square = inverse * inverse % p
    return x * square % p, y * square * inverse % p


def multiply(k, point, p):
    total = None
    for bit in bin(k)[2:]:
        total = double(total, p)
        if bit == "1":
            total = add_affine(total, point, p)
    return affine(total, p)


def add(a, b, p):
    """Of two affine points."""
    return affine(add_affine((a[0], a[1], number(1)), b, p), p)


def point_of(octets, length, p, b):
    require(len(octets) == 1 + 2 * length and octets[0] == 4, "no uncompressed point")
    x = number(int.from_bytes(octets[1:1 + length], "big"))
    y = number(int.from_bytes(octets[1 + length:], "big"))
    require(x < p and y < p and (y * y - x * x * x + 3 * x - b) % p == 0, "not on the curve")
    return x, y


def octets_of(point, length):
    return b"\x04" + b"".join(int(each).to_bytes(length, "big") for each in point)


class Comb:
    """Multiples [d * 64^i] of one point for every digit d and place i of a scalar, affine."""

    WINDOW = 6
    MASK = (1 << WINDOW) - 1

    def __init__(self, point, bits, p):
        flat, base = [], (point[0], point[1], number(1))
        for _ in range(-(-bits // self.WINDOW)):
            first = affine(base, p)
            entry = (first[0], first[1], number(1))
            flat.append(entry)
            for _ in range(self.MASK - 1):
                entry = add_affine(entry, first, p)
                flat.append(entry)
            base = add_affine(entry, first, p)
        running, products = number(1), []
        for _, _, z in flat:
            products.append(running)
            running = running * z % p
        running = pow(running, -1, p)
        for at in reversed(range(len(flat))):
            x, y, z = flat[at]
            inverse = running * products[at] % p
            running = running * z % p
            square = inverse * inverse % p
            flat[at] = (x * square % p, y * square * inverse % p)
        self.rows = [flat[at:at + self.MASK] for at in range(0, len(flat), self.MASK)]
        self.p = p

    def add_multiple(self, total, k):
        for row in self.rows:
            if k & self.MASK:
                total = add_affine(total, row[(k & self.MASK) - 1], self.p)
            k >>= self.WINDOW
        return total
