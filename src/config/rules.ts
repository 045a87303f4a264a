/**
 * What is wrong between settings that are each right: sockets that meet (socket-rules.ts), what the two
 * sides cannot be, partners that no listener can reach (partner-rules.ts). Pure: neither files nor the
 * network are looked at.
 */
import { isIP } from 'node:net';
import { isLoopback } from '../base/address.js';
import { locate, type ConfigFinding } from './load.js';
import { checkPartner } from './partner-rules.js';
import type { Note } from './rule-note.js';
import type { SegyConfig } from './schema.js';
import { checkMediaPorts, checkSockets, isWildcard } from './socket-rules.js';

export interface RuleFindings {
  /** a gateway with one of these does not start */
  readonly findings: readonly ConfigFinding[];
  /** allowed, and worth a look */
  readonly warnings: readonly ConfigFinding[];
}

/** @param text what `config` was read from, for the lines */
export function checkRules(config: SegyConfig, text: string): RuleFindings {
  const findings: ConfigFinding[] = [];
  const warnings: ConfigFinding[] = [];
  const noteIn =
    (list: ConfigFinding[]): Note =>
    (path, message, cure) =>
      void list.push({ ...locate(text, path), message, cure });
  const wrong = noteIn(findings);
  const warn = noteIn(warnings);
  checkSockets(config, wrong);
  checkMediaPorts(config, wrong, warn);
  checkOuter(config, wrong, warn);
  checkInner(config, wrong);
  checkListenerNames(config, wrong);
  for (const [index, partner] of config.partners.entries()) {
    checkPartner(config, partner, index, wrong, warn);
  }
  if (config.partners.length === 0) {
    warn(['partners'], 'there is no partner, so every call is refused', 'add one to partners');
  }
  return { findings, warnings };
}

function checkOuter({ outer }: SegyConfig, wrong: Note, warn: Note): void {
  for (const [index, { address, tls, transport }] of outer.listeners.entries()) {
    const path = ['outer', 'listeners', index];
    if (isWildcard(address) && outer.advertised === undefined) {
      wrong(
        [...path, 'address'],
        'every address, and none that a peer could be told',
        'set outer.advertised, or listen at one address',
      );
    }
    if (tls !== undefined && tls.requestClientCert && tls.caFile === undefined) {
      warn(
        [...path, 'tls'],
        'any authority that this host trusts may sign for partners',
        'set caFile to the authorities of the partners',
      );
    }
    if (tls?.requestClientCert === false) {
      warn(
        [...path, 'tls', 'requestClientCert'],
        'partners come in without a certificate',
        'set it to true',
      );
    }
    if (transport !== 'tls' && !isLoopback(address)) {
      warn(
        [...path, 'transport'],
        `${transport} carries signalling in clear`,
        'use tls where the partner can',
      );
    }
  }
  if (isWildcard(outer.mediaAddress)) {
    wrong(
      ['outer', 'mediaAddress'],
      'SDP needs one address',
      "write this host's address towards the partners",
    );
  }
}

function checkInner({ inner, pbx }: SegyConfig, wrong: Note): void {
  if (isWildcard(inner.address)) {
    wrong(
      ['inner', 'address'],
      'clear SIP and RTP would be taken at every address',
      'write a loopback address such as 127.0.0.2',
    );
  }
  for (const [index, address] of inner.allowedMediaAddresses.entries()) {
    if (inner.allowNonLoopback || isLoopback(address)) continue;
    wrong(
      ['inner', 'allowedMediaAddresses', index],
      `clear media would go to ${address}`,
      'write a loopback address, or set inner.allowNonLoopback to insist',
    );
  }
  if (!inner.allowNonLoopback && !isLoopback(pbx.sip.address)) {
    wrong(
      ['pbx', 'sip', 'address'],
      'clear SIP would leave the host',
      'write a loopback address, or set inner.allowNonLoopback to insist',
    );
  }
  if (isIP(inner.address) !== isIP(pbx.sip.address)) {
    wrong(
      ['pbx', 'sip', 'address'],
      'the PBX and inner.address are of different IP versions',
      'use two addresses of one version',
    );
  }
  if (!inner.transports.includes(pbx.sip.transport)) {
    wrong(
      ['pbx', 'sip', 'transport'],
      `inner.transports does not have ${pbx.sip.transport}`,
      'add it there, or change it here',
    );
  }
}

/** Names of listeners, each once, and those that a partner names. */
function checkListenerNames({ outer, partners }: SegyConfig, wrong: Note): void {
  const names = outer.listeners.map(({ name }) => name);
  for (const [index, name] of names.entries()) {
    if (name === undefined || names.indexOf(name) === index) continue;
    const path = ['outer', 'listeners', index, 'name'];
    wrong(path, `${name} is already the name of a listener`, 'give it another name');
  }
  for (const [index, { sip }] of partners.entries()) {
    for (const [i, name] of (sip.listeners ?? []).entries()) {
      if (names.includes(name)) continue;
      const path = ['partners', index, 'sip', 'listeners', i];
      wrong(path, `no outer listener is named ${name}`, 'name one in outer.listeners');
    }
  }
}
