/** Canonical XML against two other implementations' command lines, over documents of every layout. */
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { SegyError } from '../../src/base/errors.js';
import {
  C14N,
  canonicalise,
  DSIG_NAMESPACE,
  elementsOf,
  HMAC_SHA256,
  INCLUSIVE_C14N,
  parseSignedTree,
  SHA256,
  type CanonicalForm,
  type SignedNode,
} from '../../src/xmldsig/index.js';
import { SEED } from '../support/seed.js';
import { ALL_DECLARED, ancestors, elements, prefixLists } from './layouts.js';
import { HMAC_KEY, needTool, runTool } from './support.js';

const COUNT = 1000;
/** documents for one process */
const BATCH = 100;
const EXCLUSIVE_C14N = 'http://www.w3.org/2001/10/xml-exc-c14n#';

/** What chance makes that is no document, or a larger one than is read. */
const NONE = /an attribute given twice|a "\]\]>" in character data|nested too deep/;

/** The first `COUNT` that are documents. */
function documents(made: fc.Arbitrary<string>): string[] {
  const read: string[] = [];
  for (let round = 0; read.length < COUNT; round += 1) {
    for (const xml of fc.sample(made, { numRuns: BATCH, seed: SEED + round })) {
      try {
        parseSignedTree(xml);
        read.push(xml);
      } catch (error) {
        assert.ok(error instanceof SegyError);
        assert.match(error.message, NONE, `${error.message}: ${xml}`);
      }
    }
  }
  return read.slice(0, COUNT);
}

function inBatches(all: readonly string[], check: (paths: string[], some: string[]) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'segy-c14n-'));
  try {
    for (let first = 0; first < all.length; first += BATCH) {
      const some = all.slice(first, first + BATCH);
      const paths = some.map((xml, index) => {
        const path = join(folder, `d${index}.xml`);
        writeFileSync(path, xml);
        return path;
      });
      check(paths, some);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A part of a document as a Reference of an XML signature has it. */
interface Form extends CanonicalForm {
  readonly transform: string;
}

const inclusive: Form = {
  ...INCLUSIVE_C14N,
  transform: `<Transform Algorithm="${C14N}"/>`,
};
const exclusive = (inclusivePrefixes: readonly string[]): Form => ({
  exclusive: true,
  inclusivePrefixes,
  transform:
    `<Transform Algorithm="${EXCLUSIVE_C14N}">` +
    (inclusivePrefixes.length === 0
      ? ''
      : `<i:InclusiveNamespaces xmlns:i="${EXCLUSIVE_C14N}" PrefixList="${inclusivePrefixes.join(' ')}"/>`) +
    '</Transform>',
});

/** A signature whose Objects are what an element is a part of; its digests are ours. */
const signatures: fc.Arbitrary<string> = fc
  .tuple(fc.array(ancestors, { minLength: 5, maxLength: 5 }), elements, elements, prefixLists)
  .map(([[outer, inner, own, first, second], one, two, prefixes]) => {
    const forms = [inclusive, exclusive([]), exclusive(prefixes)];
    const keep = (text = ''): string => text.replace(/ xmlns="[^"]*"/, '');
    const objects = `<Object Id="o0"${keep(first)}>${one}</Object><Object Id="o1"${keep(second)}>${two}</Object>`;
    const around = (references: string, value: string): string =>
      `<w${ALL_DECLARED}><r${outer}><m${inner}>` +
      `<Signature xmlns="${DSIG_NAMESPACE}"${keep(own)}><SignedInfo>` +
      `<CanonicalizationMethod Algorithm="${C14N}"/><SignatureMethod Algorithm="${HMAC_SHA256}"/>` +
      `${references}</SignedInfo><SignatureValue>${value}</SignatureValue>` +
      `<KeyInfo><KeyName>k</KeyName></KeyInfo>${objects}</Signature></m></r></w>`;
    let draft: SignedNode;
    try {
      draft = parseSignedTree(around('', ''));
    } catch {
      return around('', '');
    }
    const parts = childrenAt(draft, 'r', 'm', 'Signature').filter(
      ({ localName }) => localName === 'Object',
    );
    const references = parts.flatMap((part, index) =>
      forms.map((form) => {
        const digest = createHash('sha256').update(canonicalise(part, form)).digest('base64');
        return (
          `<Reference URI="#o${index}"><Transforms>${form.transform}</Transforms>` +
          `<DigestMethod Algorithm="${SHA256}"/><DigestValue>${digest}</DigestValue></Reference>`
        );
      }),
    );
    const [info] = childrenAt(
      parseSignedTree(around(references.join(''), '')),
      'r',
      'm',
      'Signature',
    );
    const value = createHmac('sha256', HMAC_KEY)
      .update(canonicalise(info!, INCLUSIVE_C14N))
      .digest('base64');
    return around(references.join(''), value);
  });

function childrenAt(root: SignedNode, ...path: readonly string[]): SignedNode[] {
  const found = path.reduce(
    (node, name) => elementsOf(node).find(({ localName }) => localName === name)!,
    root,
  );
  return elementsOf(found);
}

describe(`canonical XML over ${COUNT} documents of every layout`, function () {
  this.timeout(120_000);

  it('is that of libxml2, in both forms', function () {
    needTool(this, 'xmllint');
    const start = fc.constantFrom('', '\uFEFF', '<?xml version="1.0" encoding="UTF-8"?>\r\n');
    const made = documents(
      fc
        .tuple(start, ancestors, elements)
        .map(
          ([first, above, inner]) => `${first}<w${ALL_DECLARED}><r${above}>${inner}\r</r></w>\n`,
        ),
    );
    inBatches(made, (paths, some) => {
      for (const [option, form] of [
        ['--c14n', INCLUSIVE_C14N],
        ['--exc-c14n', exclusive([])],
      ] as const) {
        const ours = some.map((xml) => canonicalise(parseSignedTree(xml), form));
        const theirs = runTool('xmllint', [option, ...paths]);
        if (theirs === ours.join('')) continue;
        // which one
        for (const [index, path] of paths.entries()) {
          assert.equal(
            ours[index],
            runTool('xmllint', [option, path]),
            `seed ${SEED}: ${some[index]}`,
          );
        }
        assert.fail('only together they differ');
      }
    });
  });

  it('of parts of them is that of xmlsec1, in both forms and with a PrefixList', function () {
    needTool(this, 'xmlsec1');
    const key = join(mkdtempSync(join(tmpdir(), 'segy-key-')), 'key');
    writeFileSync(key, HMAC_KEY);
    const verify = (...paths: string[]): string =>
      runTool('xmlsec1', [
        '--verify',
        '--hmackey:k',
        key,
        `--id-attr:Id`,
        `${DSIG_NAMESPACE}:Object`,
        ...paths,
      ]);
    try {
      inBatches(documents(signatures), (paths, some) => {
        try {
          verify(...paths);
        } catch {
          for (const [index, path] of paths.entries()) {
            try {
              verify(path);
            } catch (error) {
              assert.fail(`seed ${SEED}: ${String(error)}\n${some[index]}`);
            }
          }
        }
      });
      inBatches(
        [fc.sample(signatures, 1)[0]!.replace(/<DigestValue>./, '<DigestValue>=')],
        ([path]) => {
          assert.throws(() => verify(path!));
        },
      );
    } finally {
      rmSync(join(key, '..'), { recursive: true });
    }
  });
});
