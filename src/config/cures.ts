/** What an operator does about a finding of the schema. */
import type { z } from 'zod';
import { configSchema } from './schema.js';
import { knownNames, nearest, placesOf } from './suggest.js';

type Issue = z.core.$ZodIssue;

/** Findings of the schema's own rules, by their text, where the text does not say what to do. */
const BY_TEXT: readonly (readonly [RegExp, string])[] = [
  [/already named by/, 'name it once: remove it here or there'],
  [/ends before it begins/, 'write a later validTo'],
  [/two SPKs have one id/, 'give each SPK its own id'],
  [/no SPK is named/, 'add an entry to spks, or turn receive and send to optional and false'],
  [/has a tls section/, 'add tls with certFile, keyFile and caFile, or remove it'],
  [/not an IP address/, 'write an IPv4 or IPv6 address, no name'],
  [/not a loopback address/, 'write 127.0.0.1 or ::1'],
  [/not a host name or address/, 'write a name or an address, without scheme and port'],
  [/not a SIP URI/, 'write it as sip:user@host'],
  [/not an MC service ID/, 'write it as sip:user@domain'],
  [/not a domain name/, 'write a domain as mc-a.example'],
  [/at least two RTP\/RTCP pairs/, 'write [first, last], the last at least 3 above the first'],
  [/needs addresses, or discover/, 'add an entry to addresses, or discover: { domain: … }'],
  [/letters, digits/, 'use only the characters that are named'],
  [/hexadecimal/, 'write the digits between quotes'],
  [/UTC time/, 'write it as 2026-01-31T00:00:00Z, between quotes'],
  [/no default/, 'ask the partner for its value and write it here'],
];

/** What was wrong, and what to do. */
export interface Advice {
  readonly message: string;
  readonly cure: string;
}

export function adviceFor(issue: Issue): Advice {
  switch (issue.code) {
    case 'unrecognized_keys':
      return unknownSetting(issue.path, issue.keys[0] ?? '');
    case 'invalid_type': {
      if (issue.message.endsWith('received undefined')) {
        const name = String(issue.path.at(-1) ?? '');
        return { message: `${name} is missing`, cure: `add ${name}: a ${kind(issue.expected)}` };
      }
      return { message: issue.message, cure: `write a ${kind(issue.expected)}` };
    }
    case 'too_small':
      return { message: issue.message, cure: `at least ${String(issue.minimum)} is needed` };
    case 'too_big':
      return { message: issue.message, cure: `at most ${String(issue.maximum)} is allowed` };
    case 'invalid_value':
      return {
        message: issue.message,
        cure: `write one of ${issue.values.map(String).join(', ')}`,
      };
    case 'invalid_union':
      return 'discriminator' in issue || issue.message === 'Invalid input'
        ? { message: issue.message, cure: unionCure(issue) }
        : byText(issue.message);
    default:
      return byText(issue.message);
  }
}

function unknownSetting(path: readonly PropertyKey[], name: string): Advice {
  const message = `there is no setting ${name} here`;
  const meant = nearest(name, knownNames(configSchema, path));
  if (meant !== undefined) return { message, cure: `did you mean ${meant}?` };
  const depth = (path: string): number => path.split('.').length;
  const [place] = placesOf(configSchema, name).sort((a, b) => depth(a) - depth(b));
  const cure = place === undefined ? 'remove it' : `remove it here; ${place} is a setting`;
  return { message, cure };
}

function unionCure(issue: Extract<Issue, { code: 'invalid_union' }>): string {
  const name = 'discriminator' in issue ? String(issue.discriminator) : '';
  const options = 'options' in issue && Array.isArray(issue.options) ? issue.options : [];
  if (name === 'type') return 'write type: asterisk or type: freeswitch';
  return options.length > 0
    ? `write one of ${options.map(String).join(', ')}`
    : 'write another value';
}

function byText(message: string): Advice {
  const [what, ...steps] = message.split('; ');
  if (steps.length > 0) return { message: what ?? message, cure: steps.join('; ') };
  const cure = BY_TEXT.find(([pattern]) => pattern.test(message))?.[1];
  return { message, cure: cure ?? 'see the documentation of this setting' };
}

function kind(expected: string): string {
  const names: Readonly<Record<string, string>> = {
    array: 'list ([…], or lines that begin with -)',
    object: 'section of settings',
    int: 'whole number',
    number: 'number without quotes',
    string: 'text',
    boolean: 'true or false',
    tuple: 'pair as [first, last]',
  };
  return names[expected] ?? expected;
}
