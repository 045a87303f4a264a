/**
 * DSCP of what leaves on the outer side. Node cannot set it on a socket, so the kernel does: this makes
 * a table for nftables of the addresses and ports in the configuration. RTP, RTCP and floor control
 * are known by their ports, SIP by those of the listeners and of the partners.
 */
import { execFile } from 'node:child_process';
import { isIPv6 } from 'node:net';
import { promisify } from 'node:util';
import { locate } from '../config/index.js';
import type { ConfigFinding, SegyConfig } from '../config/index.js';
import { mediaAddresses } from './interfaces.js';

const DSCP_TABLE = 'segy_dscp';

/** The rules, for `nft -f`; null where the configuration asks for none. */
export function dscpRules(config: SegyConfig): string | null {
  const { outer, partners } = config;
  const { dscp, listeners, mediaPorts } = outer;
  if (dscp === undefined) return null;
  const rules: string[] = [];
  if (dscp.rtp !== undefined) {
    for (const address of mediaAddresses(config)) {
      rules.push(rule(address, `udp sport ${mediaPorts.join('-')}`, dscp.rtp));
    }
  }
  if (dscp.sip !== undefined) {
    const dialled = [...new Set(partners.flatMap(portsOf))].sort((a, b) => a - b);
    for (const { address, transport, port } of listeners) {
      const protocol = transport === 'udp' ? 'udp' : 'tcp';
      rules.push(rule(address, `${protocol} sport ${port}`, dscp.sip));
      if (protocol === 'tcp' && dialled.length > 0) {
        rules.push(rule(address, `tcp dport { ${dialled.join(', ')} }`, dscp.sip));
      }
    }
  }
  return [
    `# made by segy dscp; load it with: segy dscp | nft -f -`,
    `add table inet ${DSCP_TABLE}`,
    `delete table inet ${DSCP_TABLE}`,
    `table inet ${DSCP_TABLE} {`,
    '  chain out {',
    '    type filter hook output priority mangle; policy accept;',
    ...[...new Set(rules)].map((line) => `    ${line}`),
    '  }',
    '}',
    '',
  ].join('\n');
}

function rule(address: string, match: string, value: string | number): string {
  const family = isIPv6(address) ? 'ip6' : 'ip';
  const isWildcard = address === '0.0.0.0' || /^[0:]+$/.test(address);
  const from = isWildcard
    ? `meta nfproto ${isIPv6(address) ? 'ipv6' : 'ipv4'}`
    : `${family} saddr ${address}`;
  return `${from} ${match} ${family} dscp set ${value}`;
}

/** Ports at which a partner is dialled; those that DNS names are the usual ones, or unknown here. */
function portsOf({ sip }: SegyConfig['partners'][number]): number[] {
  const configured = sip.addresses
    .filter(({ transport }) => transport !== 'udp')
    .map(({ port }) => port);
  return [...configured, ...(sip.discover === undefined ? [] : [5060, 5061])];
}

/** A warning where the rules that the configuration asks for are not loaded, or cannot be seen. */
export async function checkDscp(config: SegyConfig, text: string): Promise<ConfigFinding[]> {
  if (dscpRules(config) === null) return [];
  const at = locate(text, ['outer', 'dscp']);
  try {
    await promisify(execFile)('nft', ['list', 'table', 'inet', DSCP_TABLE]);
    return [];
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
    const isMissing = said.includes('No such file or directory');
    const message = isMissing
      ? 'no packet is marked: the table segy_dscp is not loaded'
      : 'whether packets are marked cannot be seen by this user';
    const cure = isMissing ? 'segy dscp | nft -f -' : 'as root: nft list table inet segy_dscp';
    return [{ ...at, message, cure }];
  }
}
