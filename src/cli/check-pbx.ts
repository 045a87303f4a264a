/** Is the PBX there, does it let the gateway in, and are the gateway's snippets in place? */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { locate } from '../config/index.js';
import type { ConfigFinding, SegyConfig } from '../config/index.js';
import { checkFreeSwitch } from './check-freeswitch.js';
import type { LiveFindings, Note } from './check-live.js';
import { PATIENCE_MS, patiently } from './patience.js';

const ENDPOINT = 'segy';
const CONTEXTS = ['from-segy', 'to-segy'];

/** @param asterisk command that reaches the Asterisk's command line, its options behind it */
export async function checkPbx(
  config: SegyConfig,
  text: string,
  asterisk: readonly string[],
): Promise<LiveFindings> {
  const findings: ConfigFinding[] = [];
  const warnings: ConfigFinding[] = [];
  const into =
    (list: ConfigFinding[]): Note =>
    (path, message, cure) =>
      void list.push({ ...locate(text, path), message, cure });
  const { pbx } = config;
  if (pbx.type === 'asterisk') {
    await checkAri(pbx.ari, into(findings));
    if (findings.length === 0) await checkContexts(asterisk, into(findings), into(warnings));
  } else await checkFreeSwitch({ pbx, inner: config.inner }, into(findings), into(warnings));
  return { findings, warnings };
}

type Ari = Extract<SegyConfig['pbx'], { type: 'asterisk' }>['ari'];

async function checkAri({ url, username, passwordFile }: Ari, wrong: Note): Promise<void> {
  const password = readFileSync(passwordFile, 'utf8').trimEnd();
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const ask = async (path: string): Promise<number> => {
    const headers = { authorization, connection: 'close' };
    return patiently(async (signal) => {
      const response = await fetch(new URL(`/ari/${path}`, url), { headers, signal });
      await response.arrayBuffer();
      return response.status;
    });
  };
  try {
    const status = await ask('asterisk/info');
    if (status === 401 || status === 403) {
      wrong(
        ['pbx', 'ari', 'username'],
        'Asterisk refuses this user and password',
        'compare both with ari.conf',
      );
      return;
    }
    if (status !== 200) {
      wrong(
        ['pbx', 'ari', 'url'],
        `Asterisk answers ${status} and no ARI`,
        'include segy_ari.conf and segy_http.conf, and load res_ari',
      );
      return;
    }
    if ((await ask(`endpoints/PJSIP/${ENDPOINT}`)) === 404) {
      wrong(
        ['pbx', 'sip'],
        `Asterisk has no PJSIP endpoint ${ENDPOINT}`,
        'include segy_pjsip.conf in pjsip.conf, and reload res_pjsip',
      );
    }
  } catch {
    wrong(
      ['pbx', 'ari', 'url'],
      `Asterisk does not answer at ${url}`,
      'start it, or correct the address, and include segy_http.conf',
    );
  }
}

/** ARI shows no dialplan, so Asterisk's own command line is asked. */
async function checkContexts(asterisk: readonly string[], wrong: Note, warn: Note): Promise<void> {
  const [command = 'asterisk', ...options] = asterisk;
  for (const context of CONTEXTS) {
    try {
      const show = [...options, '-rx', `dialplan show ${context}`];
      const { stdout } = await promisify(execFile)(command, show, { timeout: PATIENCE_MS });
      if (!/There is no existence of|No such/i.test(stdout)) continue;
      wrong(
        ['pbx', 'type'],
        `the dialplan has no context ${context}`,
        'include segy.conf and segy_routes.conf in extensions.conf, and dialplan reload',
      );
    } catch {
      const cure = `run "asterisk -rx 'dialplan show ${context}'" as a user who may`;
      warn(['pbx', 'type'], `whether the dialplan has ${context} cannot be seen from here`, cure);
      return;
    }
  }
}
