"""Protected bodies of MC calls by an implementation that shares nothing with ours: the standard library of
Python alone. JSON in, JSON out; each body is laid out at random, as writers of XML differ.
"""
import base64
import hashlib
import hmac
import json
import random
import sys
from xml.dom import minidom

DSIG = 'http://www.w3.org/2000/09/xmldsig#'
XENC = 'http://www.w3.org/2001/04/xmlenc#'
C14N = 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315'
HMAC_SHA256 = 'http://www.w3.org/2001/04/xmldsig-more#hmac-sha256'
SHA256 = XENC + 'sha256'
GCM = 'http://www.w3.org/2009/xmlenc11#aes128-gcm'
INFO = 'urn:3gpp:ns:mcpttInfo:1.0'
SIGNED = 'urn:3gpp:ns:mcpttSignedDoc:1.0'
LISTS = 'urn:ietf:params:xml:ns:resource-lists'
HOST = 'mc1-encrypted.3gppnetwork.org'
XMLNS = 'http://www.w3.org/2000/xmlns/'


def b64(octets):
    return base64.b64encode(octets).decode()


# AES-128-GCM with an IV of 96 bits (FIPS 197, SP 800-38D)
def times2(x):
    return ((x << 1) ^ 0x1B) & 0xFF if x & 0x80 else x << 1


def make_sbox():
    exp, log, x = [0] * 256, [0] * 256, 1
    for i in range(255):
        exp[i], log[x] = x, i
        x ^= times2(x)
    box = []
    for i in range(256):
        inverse = exp[(255 - log[i]) % 255] if i else 0
        out = 0x63
        for shift in range(5):
            out ^= ((inverse << shift) | (inverse >> (8 - shift))) & 0xFF
        box.append(out)
    return box


SBOX = make_sbox()


def expand(key):
    words, rcon = [list(key[i:i + 4]) for i in range(0, 16, 4)], 1
    for i in range(4, 44):
        word = list(words[-1])
        if i % 4 == 0:
            word = [SBOX[b] for b in word[1:] + word[:1]]
            word[0] ^= rcon
            rcon = times2(rcon)
        words.append([a ^ b for a, b in zip(words[i - 4], word)])
    return [sum(words[i:i + 4], []) for i in range(0, 44, 4)]


def aes(keys, block):
    state = [a ^ b for a, b in zip(block, keys[0])]
    for number in range(1, 11):
        state = [SBOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16)]
        if number < 10:
            mixed = []
            for c in range(0, 16, 4):
                a = state[c:c + 4]
                whole = a[0] ^ a[1] ^ a[2] ^ a[3]
                mixed += [a[i] ^ whole ^ times2(a[i] ^ a[(i + 1) % 4]) for i in range(4)]
            state = mixed
        state = [a ^ b for a, b in zip(state, keys[number])]
    return bytes(state)


def ghash(h, data):
    y = 0
    for at in range(0, len(data), 16):
        x = y ^ int.from_bytes(data[at:at + 16].ljust(16, b'\0'), 'big')
        y, v = 0, h
        for bit in range(127, -1, -1):
            if x >> bit & 1:
                y ^= v
            v = (v >> 1) ^ (0xE1 << 120) if v & 1 else v >> 1
    return y


def gcm(key, iv, plain):
    """Ciphertext with the tag behind it."""
    keys = expand(key)
    h = int.from_bytes(aes(keys, bytes(16)), 'big')
    out = b''
    for index, at in enumerate(range(0, len(plain), 16)):
        stream = aes(keys, iv + (index + 2).to_bytes(4, 'big'))
        out += bytes(a ^ b for a, b in zip(plain[at:at + 16], stream))
    padded = out + bytes(-len(out) % 16) + bytes(8) + (8 * len(out)).to_bytes(8, 'big')
    tag = ghash(h, padded) ^ int.from_bytes(aes(keys, iv + b'\0\0\0\1'), 'big')
    return out + tag.to_bytes(16, 'big')


def derived(fc, key, p0, key_id):
    """TS 33.180 F.1.4: the low half of HMAC-SHA-256."""
    p0 = p0.encode()
    text = bytes([fc]) + p0 + len(p0).to_bytes(2, 'big') + key_id + b'\0\4'
    return hmac.new(key, text, hashlib.sha256).digest()[16:]


# ECCSI over P-256 (RFC 6507)
P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P) % P
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(k, point):
    out = None
    while k:
        if k & 1:
            out = add(out, point)
        point, k = add(point, point), k >> 1
    return out


def point_octets(point):
    return b'\x04' + point[0].to_bytes(32, 'big') + point[1].to_bytes(32, 'big')


def eccsi(key, message):
    kpak, user, ssk, pvt = (bytes.fromhex(key[name]) for name in ('kpak', 'id', 'ssk', 'pvt'))
    hs = hashlib.sha256(point_octets(G) + kpak + user + pvt).digest()
    while True:
        j = random.randrange(1, N)
        r = multiply(j, G)[0] % N
        he = hashlib.sha256(hs + r.to_bytes(32, 'big') + message).digest()
        divisor = (int.from_bytes(he, 'big') + r * int.from_bytes(ssk, 'big')) % N
        if divisor:
            s = pow(divisor, -1, N) * j % N
            return r.to_bytes(32, 'big') + s.to_bytes(32, 'big') + pvt


def ear(ask, change=None):
    """TS 33.180 table J.1.2-1, signed over all of it."""
    points = ask['ear']
    field = {'time': points['now'], 'source': points['caller'], 'target': points['target'],
             'role': points['roles']['user'], 'type': 2, 'expiry': None, 'signer': points['key'],
             'id': random.randbytes(16), **(change or {})}
    request = bytes([field['type']])
    if field['expiry'] is not None:
        request += bytes([points['requestExpiryIei']]) + field['expiry'].to_bytes(5, 'big')
    lv = lambda octets: len(octets).to_bytes(2, 'big') + octets
    payload = (bytes([points['messageType']]) + field['time'].to_bytes(5, 'big') + field['id'] +
               bytes([field['role']]) + lv(field['source'].encode()) +
               bytes([points['roles']['server']]) + lv(field['target'].encode()) +
               bytes([points['requestIei']]) + lv(request))
    return payload + eccsi(field['signer'], payload)


# Canonical XML 1.0 of one element, with the namespaces and xml: attributes of its ancestors
def canonical(node, above=None):
    chain, up = [], node
    while up is not None and up.nodeType == up.ELEMENT_NODE:
        chain.insert(0, up)
        up = up.parentNode
    scope, special = {'': ''}, {}
    for each in chain:
        for attribute in each.attributes.values():
            if attribute.namespaceURI == XMLNS:
                scope['' if attribute.name == 'xmlns' else attribute.localName] = attribute.value
            elif attribute.name.startswith('xml:'):
                special[attribute.name] = attribute
    value = lambda text: (text.replace('&', '&amp;').replace('<', '&lt;').replace('"', '&quot;')
                          .replace('\t', '&#x9;').replace('\n', '&#xA;').replace('\r', '&#xD;'))
    out = '<' + node.tagName
    for prefix in sorted(scope):
        if scope[prefix] != (above or {'': ''}).get(prefix):
            out += f' xmlns{":" * bool(prefix)}{prefix}="{value(scope[prefix])}"'
    own = {a.name: a for a in node.attributes.values() if a.namespaceURI != XMLNS}
    if above is None:
        own = {**special, **own}
    for attribute in sorted(own.values(), key=lambda a: (a.namespaceURI or '', a.localName or a.name)):
        out += f' {attribute.name}="{value(attribute.value)}"'
    out += '>'
    for child in node.childNodes:
        if child.nodeType == child.ELEMENT_NODE:
            out += canonical(child, scope)
        else:
            out += (child.data.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')
                    .replace('\r', '&#xD;'))
    return out + f'</{node.tagName}>'


class Writer:
    """One message in one layout."""

    def __init__(self, ask, layout):
        self.ask, self.rnd = ask, random.Random(layout)
        self.key, self.key_id = bytes.fromhex(ask['spk']), bytes.fromhex(ask['spkId'])
        self.p0 = ask['p0']

    def pick(self, *choices):
        return self.rnd.choice(choices)

    def space(self):
        return self.pick('', '', ' ', '\n', '\r\n  ', '\t')

    def quoted(self, name, text):
        quote = self.pick('"', "'")
        return f'{self.pick(" ", " ", chr(10) + "  ")}{name}{self.pick("=", "=", " = ")}{quote}{text}{quote}'

    def attributes(self, *pairs):
        pairs = list(pairs)
        self.rnd.shuffle(pairs)
        return ''.join(self.quoted(*pair) for pair in pairs)

    def element(self, name, attributes, content):
        if content == '' and self.rnd.random() < 0.5:
            return f'<{name}{attributes}{self.pick("", " ")}/>'
        return f'<{name}{attributes}{self.pick("", " ")}>{content}</{name}{self.pick("", " ")}>'

    def wrapped(self, octets):
        """Base64 as writers break it; those in Java leave the carriage return as a reference."""
        end = self.pick('', '', '\n', '\r\n', '&#13;\n', '&#xD;\r\n')
        text = b64(octets)
        if end == '':
            return text
        lines = [text[at:at + 76] for at in range(0, len(text), 76)]
        return self.pick('', end) + end.join(lines) + self.pick('', end)

    def data(self, plain, key=None, iv=None):
        key = key or derived(0x51, self.key, self.p0, self.key_id)
        iv = iv or self.rnd.randbytes(12)
        return iv + gcm(key, iv, plain.encode())

    def encrypted_data(self, octets, declared):
        """`declared`: prefix of xmlenc where an ancestor declares it."""
        prefix, own = declared, []
        if prefix is None:
            prefix = self.pick('', 'xenc', 'e')
            own = [('xmlns' + (':' + prefix if prefix else ''), XENC)]
        name = lambda local: f'{prefix}:{local}' if prefix else local
        optional = [('Id', 'ED1'), ('MimeType', 'text/xml'), ('Encoding', 'UTF-8')]
        some = [each for each in optional if self.rnd.random() < 0.3]
        if self.rnd.random() < 0.8:
            some.append(('Type', XENC + 'Content'))
        parts = []
        if self.rnd.random() < 0.8:
            parts.append(self.element(name('EncryptionMethod'), self.attributes(('Algorithm', GCM)), ''))
        if self.rnd.random() < 0.8:
            parts.append(self.key_info())
        value = self.element(name('CipherValue'), '', self.wrapped(octets))
        parts.append(self.element(name('CipherData'), '', self.space() + value + self.space()))
        content = self.space() + ''.join(part + self.space() for part in parts)
        return self.element(name('EncryptedData'), self.attributes(*own, *some), content)

    def key_info(self, prefix=None):
        own = []
        if prefix is None:
            prefix = self.pick('', 'ds', 'dsig')
            own = [('xmlns' + (':' + prefix if prefix else ''), DSIG)]
        name = lambda local: f'{prefix}:{local}' if prefix else local
        if self.rnd.random() < 0.2:
            own.append(('Id', 'KI'))
        key_name = self.space() + b64(self.key_id) + self.space()
        inside = self.space() + self.element(name('KeyName'), '', key_name) + self.space()
        return self.element(name('KeyInfo'), self.attributes(*own), inside)

    def uri(self, text, key=None):
        iv = self.rnd.randbytes(12)
        sealed = b64(self.data(text, key, iv)[12:])
        parameters = [f'iv={b64(iv)}', f'key-id={b64(self.key_id)}', 'alg=128-aes-gcm']
        if self.rnd.random() < 0.3:
            self.rnd.shuffle(parameters)
        return f'{self.pick("sip", "sip", "SIP")}:{";".join([sealed] + parameters)}@{self.pick(HOST, HOST, HOST.upper())}'

    def declaration(self):
        return self.pick('', '<?xml version="1.0" encoding="UTF-8"?>\r\n', "<?xml version='1.0'?>\n")

    def info(self, clear=(), seal=None):
        """mcptt-info; `clear` names the elements that are not encrypted."""
        seal = seal or self.data
        prefix = self.pick('', '', 'm', 'mcptt')
        name = lambda local: f'{prefix}:{local}' if prefix else local
        root = [('xmlns' + (':' + prefix if prefix else ''), INFO)]
        declared = None
        if self.rnd.random() < 0.4:
            declared = 'xenc'
            root.append(('xmlns:xenc', XENC))
        if self.rnd.random() < 0.3:
            root += [('xmlns:xsi', 'http://www.w3.org/2001/XMLSchema-instance'),
                     ('xsi:schemaLocation', INFO + ' mcptt.xsd')]
        parts = []
        for local, kind, text in self.ask['elements']:
            kind = 'mcptt' + kind
            own = f' xmlns{":" * bool(prefix)}{prefix}="{INFO}"' if self.rnd.random() < 0.3 else ''
            plain = self.pick(f'<{name(kind)}{own}>{text}</{name(kind)}>', f'<{name(kind)}{own}>{text}</{name(kind)} >',
                              text if kind == 'mcpttURI' else f'<{name(kind)}>{text}</{name(kind)}>')
            if local in clear:
                child = f'<{name(kind)}>{text}</{name(kind)}>'
                parts.append(self.element(name(local), self.pick('', self.attributes(('type', 'Normal'))), child))
            else:
                child = self.space() + self.encrypted_data(seal(plain), declared) + self.space()
                kinds = [('type', 'Encrypted')] + ([('x', '1')] if self.rnd.random() < 0.1 else [])
                parts.append(self.element(name(local), self.attributes(*kinds), child))
        if self.rnd.random() < 0.4:
            parts.append(f'<{name("anyExt")}><x:y xmlns:x="urn:x" a="&lt;">\u00e9<![CDATA[<raw>]]></x:y></{name("anyExt")}>')
        session = self.element(name('session-type'), '', self.ask['sessionType'])
        self.rnd.shuffle(parts)
        inside = self.space() + session + ''.join(self.space() + part for part in parts) + self.space()
        params = self.element(name('mcptt-Params'), '', inside)
        document = self.declaration() + self.element(name('mcpttinfo'), self.attributes(*root), self.space() + params + self.space())
        return (document + self.pick('', '\r\n')).encode()

    def lists(self, key=None):
        prefix = self.pick('', 'rl')
        name = lambda local: f'{prefix}:{local}' if prefix else local
        uri = self.uri(self.ask['listed'], key)
        entry = self.element(name('entry'), self.attributes(('uri', uri)), '')
        one = self.element(name('list'), '', self.space() + entry + self.space())
        root = self.attributes(('xmlns' + (':' + prefix if prefix else ''), LISTS))
        return (self.declaration() + self.element(name('resource-lists'), root, self.space() + one)).encode()

    def reference(self, cid):
        escaped = ''.join(c if c.isalnum() or c in '-._~@' else '%%%02X' % ord(c) for c in cid)
        plain = cid.replace("'", '&apos;')
        return self.pick('cid:' + escaped, 'cid:' + plain.replace('%', '%25'), 'cid:' + escaped.replace('@', '%40'),
                         'CID:' + escaped, plain, f'&lt;{plain}&gt;')

    def signatures(self, bodies, key=None, digest=None, name_key=True):
        key = key or derived(0x52, self.key, self.p0, self.key_id)
        digest = digest or (lambda octets: hashlib.sha256(octets).digest())
        top = self.pick('', 's')
        root = [('xmlns' + (':' + top if top else ''), SIGNED)]
        prefix = self.pick('', 'ds', 'dsig')
        on_root = prefix != '' and self.rnd.random() < 0.5
        name = lambda local: f'{prefix}:{local}' if prefix else local
        own = [('xmlns' + (':' + prefix if prefix else ''), DSIG)]
        if on_root:
            root += own
        if self.rnd.random() < 0.3:
            root += [('xmlns:a', 'urn:a'), ('xml:lang', 'en')]
        method = lambda local, uri: self.element(name(local), self.attributes(('Algorithm', uri)), '')
        parts = []
        for cid, octets in bodies:
            some = [('Id', 'R1')] if self.rnd.random() < 0.2 else []
            value = self.element(name('DigestValue'), '', self.wrapped(digest(octets)))
            inner = self.space() + method('DigestMethod', SHA256) + self.space() + value + self.space()
            attributes = self.attributes(('URI', self.reference(cid)), *some)
            reference = self.element(name('Reference'), attributes, inner)
            extra = [('xmlns:b', 'urn:b')] if self.rnd.random() < 0.3 else []
            inside = ''.join(self.space() + each for each in (
                method('CanonicalizationMethod', C14N), method('SignatureMethod', HMAC_SHA256), reference)) + self.space()
            signed = self.element(name('SignedInfo'), self.attributes(*extra), inside)
            info = self.key_info(prefix) if name_key and self.rnd.random() < 0.8 else ''
            content = self.space() + signed + self.space() + f'<{name("SignatureValue")}>@@</{name("SignatureValue")}>' + self.space() + info
            attributes = ([] if on_root else own) + ([('Id', 'S1')] if self.rnd.random() < 0.2 else [])
            parts.append(self.element(name('Signature'), self.attributes(*attributes), content))
        self.rnd.shuffle(parts)
        tag = f'{top}:signatures' if top else 'signatures'
        text = self.declaration() + self.element(tag, self.attributes(*root), self.space() + ''.join(p + self.space() for p in parts))
        for info in minidom.parseString(text.encode()).getElementsByTagNameNS(DSIG, 'SignedInfo'):
            value = hmac.new(key, canonical(info).encode(), hashlib.sha256).digest()
            text = text.replace('>@@<', f'>{self.wrapped(value)}<', 1)
        return text.encode()

    def content_id(self, word):
        return self.pick(f'{word}@mc-a.example', f'{word}.1+2$x%y@[192.0.2.1]', f"{word}/'a'=b@mc-a.example")

    def multipart(self, parts):
        boundary = 'b' + self.rnd.randbytes(6).hex() + self.pick('', "'()+_,-./:=?")
        out = self.pick(b'', b'preamble\r\n')
        for headers, octets in parts:
            out += f'--{boundary}\r\n'.encode() + ''.join(f'{h}\r\n' for h in headers).encode() + b'\r\n' + octets + b'\r\n'
        out += f'--{boundary}--'.encode() + self.pick(b'\r\n', b'', b'\r\nepilogue\r\n')
        needs_quotes = any(c in '()<>@,;:\\"/[]?=' for c in boundary)
        value = f'"{boundary}"' if needs_quotes else self.pick(boundary, f'"{boundary}"')
        return f'{self.pick("multipart/mixed", "Multipart/Mixed")};{self.pick("", " ")}boundary={value}', out

    def part(self, kind, octets, cid=None):
        name = self.pick('Content-Type', 'content-type', 'CONTENT-TYPE')
        headers = [f'{name}: {kind}{self.pick("", "; charset=utf-8") if "+xml" in kind else ""}']
        if cid is not None:
            headers.append(f'{self.pick("Content-ID", "content-id", "Content-Id")}: {self.pick("<%s>", "<%s>", "%s") % cid}')
        if self.rnd.random() < 0.2:
            headers.append(f'Content-Transfer-Encoding: {self.pick("binary", "8bit", "8BIT")}')
        if self.rnd.random() < 0.2:
            headers.append('Content-Disposition: render;handling=optional')
        self.rnd.shuffle(headers)
        return headers, octets

    def message(self, sdp, with_ear, info=None, sign=None, after=None, lists=None):
        """All of a body; `after` changes its XML once it is signed."""
        ids = [self.content_id('info'), self.content_id('list')]
        documents = [(ids[0], 'application/vnd.3gpp.mcptt-info+xml', info or self.info())]
        if self.ask.get('listed') and (lists or self.rnd.random() < 0.5):
            documents.append((ids[1], 'application/resource-lists+xml', lists or self.lists()))
        signed = (sign or self.signatures)([(cid, octets) for cid, _, octets in documents])
        parts = [self.part(kind, after(octets) if after else octets, cid) for cid, kind, octets in documents]
        if signed is not None:
            parts.append(self.part('application/vnd.3gpp.mcptt-signed+xml', signed))
        if with_ear is not None:
            parts.append(self.part('application/vnd.3gpp.mc-signalling-ear', with_ear))
        self.rnd.shuffle(parts)
        return self.multipart(([self.part('application/sdp', sdp)] if sdp else []) + parts)


def broken(ask):
    """What is wrong in itself: name, code, and what makes the body from a writer."""
    other = lambda w: derived(0x51, random.randbytes(16), w.p0, w.key_id)
    flip = lambda octets, at: octets[:at] + bytes([octets[at] ^ 1]) + octets[at:][1:]
    yield 'other-integrity-key', 'XML_SIGNATURE', dict(sign=lambda w: lambda b: w.signatures(b, key=random.randbytes(16)))
    yield 'confidentiality-key-signs', 'XML_SIGNATURE', dict(sign=lambda w: lambda b: w.signatures(b, key=derived(0x51, w.key, w.p0, w.key_id)))
    yield 'whole-hmac-as-key', 'XML_SIGNATURE', dict(sign=lambda w: lambda b: w.signatures(b, key=w.key))
    yield 'digest-of-another', 'XML_SIGNATURE', dict(sign=lambda w: lambda b: w.signatures(b, digest=lambda o: hashlib.sha256(o + b' ').digest()))
    yield 'changed-once-signed', 'XML_SIGNATURE', dict(after=lambda w: lambda o: o + b' ')
    yield 'unsigned', 'XML_UNSIGNED', dict(sign=lambda w: lambda b: None)
    yield 'one-of-two-signed', 'XML_UNSIGNED', dict(sign=lambda w: lambda b: w.signatures(b[:1]), lists=lambda w: w.lists())
    yield 'foreign-body-signed', 'XML_SIGNATURE', dict(sign=lambda w: lambda b: w.signatures(b + [('x@y', b'x')]))
    yield 'signed-twice', 'XML_SIGNATURE', dict(sign=lambda w: lambda b: w.signatures(b + b[:1]))
    yield 'clear-caller', 'XML_CLEAR', dict(info=lambda w: w.info(clear=('mcptt-calling-user-id',)))
    yield 'clear-target', 'XML_CLEAR', dict(info=lambda w: w.info(clear=('mcptt-request-uri',)))
    yield 'other-content-key', 'XML_DECRYPT', dict(info=lambda w: w.info(seal=lambda p: w.data(p, key=other(w))))
    yield 'integrity-key-encrypts', 'XML_DECRYPT', dict(info=lambda w: w.info(seal=lambda p: w.data(p, key=derived(0x52, w.key, w.p0, w.key_id))))
    yield 'tag-broken', 'XML_DECRYPT', dict(info=lambda w: w.info(seal=lambda p: flip(w.data(p), -1)))
    yield 'iv-broken', 'XML_DECRYPT', dict(info=lambda w: w.info(seal=lambda p: flip(w.data(p), 0)))
    yield 'cut', 'XML_DECRYPT', dict(info=lambda w: w.info(seal=lambda p: w.data(p)[:-1]))
    yield 'tag-alone', 'XML_DECRYPT', dict(info=lambda w: w.info(seal=lambda p: w.data(p)[:27]))
    yield 'closes-its-element', 'XML_DECRYPT', dict(info=lambda w: w.info(seal=lambda p: w.data('</mcptt-request-uri><x/><mcptt-request-uri>')))
    yield 'list-with-another-key', 'XML_DECRYPT', dict(lists=lambda w: w.lists(key=other(w)))
    yield 'a-comment', 'XML', dict(info=lambda w: w.info() + b'<!-- x -->')
    yield 'a-doctype', 'XML', dict(info=lambda w: b'<!DOCTYPE x [<!ENTITY e "x">]>' + w.info().split(b'?>')[-1])


def broken_ears(ask):
    now, points = ask['ear']['now'], ask['ear']
    yield 'ear-none', 'EAR_REQUIRED', None
    yield 'ear-old', 'EAR_WINDOW', ear(ask, {'time': now - 86400})
    yield 'ear-ahead', 'EAR_WINDOW', ear(ask, {'time': now + 86400})
    yield 'ear-expired', 'EAR_EXPIRED', ear(ask, {'expiry': now - 1})
    yield 'ear-target', 'EAR_TARGET', ear(ask, {'target': 'sip:somebody@lmr.example'})
    yield 'ear-role', 'EAR_ROLE', ear(ask, {'role': points['roles']['server']})
    yield 'ear-type', 'EAR_ROLE', ear(ask, {'type': 5})
    yield 'ear-source', 'EAR_SOURCE', ear(ask, {'source': points['other'], 'signer': points['otherKey']})
    yield 'ear-signer', 'EAR_SIGNATURE', ear(ask, {'signer': points['otherKey']})
    right = ear(ask)
    yield 'ear-flipped', 'EAR_SIGNATURE', right[:8] + bytes([right[8] ^ 1]) + right[9:]
    yield 'ear-cut', 'EAR_SYNTAX', right[:150]
    yield 'ear-longer', 'EAR_SYNTAX', right + b'\0'


def main():
    ask = json.load(sys.stdin)
    random.seed(ask['seed'])
    made = []

    def put(name, code, writer, body):
        kind, octets = body
        made.append({'name': name, 'code': code, 'type': kind, 'body': b64(octets)})

    sdps = [base64.b64decode(text) for text in ask['sdps']]
    for index, sdp in enumerate(sdps[1:]):
        writer = Writer(ask, f"{ask['seed']} right {index}")
        change = {'expiry': ask['ear']['now'] + 3600} if ask.get('ear') and index % 4 == 0 else None
        put(f'right-{index}', None, writer, writer.message(sdp, ear(ask, change) if ask.get('ear') else None))
    for name, code, change in broken(ask):
        for index in range(ask['each']):
            writer = Writer(ask, f"{ask['seed']} {name} {index}")
            made_of = {what: make(writer) for what, make in change.items()}
            put(f'{name}-{index}', code, writer, writer.message(sdps[0], ear(ask) if ask.get('ear') else None, **made_of))
    if ask.get('ear'):
        for name, code, octets in broken_ears(ask):
            writer = Writer(ask, f"{ask['seed']} {name}")
            put(name, code, writer, writer.message(sdps[0], octets))
    json.dump(made, sys.stdout)


main()
