/** The console of the running gateway, over its views, and the commands that let somebody in and out. */
import { readFileSync, statSync } from 'node:fs';
import type { AdminCommands, GatewayViews } from '../admin/index.js';
import { tailAudit } from '../audit/index.js';
import type { Environment } from '../base/environment.js';
import { SegyError, toSegyError } from '../base/errors.js';
import type { SegyConfig } from '../config/index.js';
import {
  ConsoleServer,
  DEFAULT_CONSOLE_LIMITS,
  LoginTokens,
  MIN_TOKEN,
  readPanels,
} from '../console/index.js';
import type { ConsoleViews, PeriodView, TrustView } from '../console/index.js';
import { SourceLog } from '../base/source-log.js';
import { certificateFault, periodAt, periodBounds } from '../kms/index.js';
import type { KmsCertificate, TrustEntry } from '../kms/index.js';
import { auditFolder, requireDomain } from './state.js';
import type { State } from './state.js';

const CODE = 'SEGY_E_CONSOLE';
/** The check of the configuration, before, is stricter where the file is no systemd credential. */
const OTHERS = 0o007;

export interface ConsoleParts {
  readonly config: SegyConfig;
  readonly env: Environment;
  readonly state: State;
  readonly views: GatewayViews;
}

/**
 * Opens the console where the configuration has one.
 * @param closers gets what ends it
 * @returns its commands, which refuse where there is no console
 * @throws SegyError SEGY_E_IO, SEGY_E_CONFIG for a token that is too short or open to others
 */
export async function openConsole(
  parts: ConsoleParts,
  closers: (() => Promise<void> | void)[],
): Promise<AdminCommands> {
  const { config, env } = parts;
  const { listen, tokenFile, idleMinutes, sessionHours } = config.console;
  if (listen === undefined) return commandsOf(undefined);
  if (tokenFile !== undefined) readToken(tokenFile);
  const limits = DEFAULT_CONSOLE_LIMITS;
  const tokens = new LoginTokens({ fileToken: tokenOf(tokenFile, env), env, limits });
  const sources = new SourceLog(env);
  const server = await ConsoleServer.open({
    ...listen,
    tokens,
    read: readPanels(consoleViews(parts)),
    env,
    idleMs: idleMinutes * 60_000,
    absoluteMs: sessionHours * 3_600_000,
    refused: (source, kind, message) =>
      sources.refused({ code: CODE, side: 'console', source, message }, { kind }),
  });
  closers.push(() => server.close());
  env.log.info('console.listening', { address: listen.address, port: server.port });
  const host = listen.address.includes(':') ? `[${listen.address}]` : listen.address;
  return commandsOf({ tokens, server, address: `http://${host}:${server.port}/` });
}

interface OpenConsole {
  readonly tokens: LoginTokens;
  readonly server: ConsoleServer;
  readonly address: string;
}

function commandsOf(opened: OpenConsole | undefined): AdminCommands {
  const command = (run: (opened: OpenConsole) => object): AdminCommands[string] => ({
    changes: true,
    run: () => {
      if (opened === undefined) {
        const text = 'the gateway has no console: set console.listen';
        return Promise.reject(new SegyError('SEGY_E_NOT_FOUND', text));
      }
      return Promise.resolve(run(opened));
    },
  });
  return {
    'console/token': command(({ tokens, address }) => ({ address, ...tokens.issue() })),
    'console/logout': command(({ server }) => ({ ended: server.endSessions() })),
  };
}

/** Read at each log-in, so that a new token needs no restart. */
function tokenOf(file: string | undefined, env: Environment): () => string | undefined {
  return () => {
    try {
      return file === undefined ? undefined : readToken(file);
    } catch (error) {
      env.log.error('console.token.refused', { message: toSegyError(error).message });
      return undefined;
    }
  };
}

function readToken(file: string): string {
  const refuse = (what: string): SegyError => new SegyError('SEGY_E_CONFIG', `${file} ${what}`);
  let token: string;
  try {
    if ((statSync(file).mode & OTHERS) !== 0) throw refuse('is open to others: chmod 600');
    token = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw error instanceof SegyError ? error : refuse('cannot be read');
  }
  if (token.length < MIN_TOKEN) throw refuse(`holds fewer than ${MIN_TOKEN} characters`);
  return token;
}

function consoleViews({ config, state, views }: ConsoleParts): ConsoleViews {
  return {
    gateway: views,
    trust: () => state.trust.list().map((entry) => trustView(entry, views.now())),
    periods: () => {
      const now = views.now();
      const trusted = state.trust
        .list()
        .filter(({ certificate }) => certificateFault(certificate, now) === null);
      return [
        ...periodViews(requireDomain(state).certificate, 'own', now),
        ...trusted.flatMap(({ certificate, partner }) => periodViews(certificate, partner, now)),
      ];
    },
    audit: (count) => tailAudit(auditFolder(config.stateDir), count),
  };
}

function trustView(
  { certificate, partner, fingerprint, revokedAt }: TrustEntry,
  now: number,
): TrustView {
  return {
    kmsUri: certificate.kmsUri,
    partner,
    domains: certificate.domains,
    fingerprint: fingerprint.hex,
    words: fingerprint.words,
    state: certificateFault(certificate, now) ?? 'in use',
    from: certificate.validFrom?.getTime() ?? null,
    to: certificate.validTo?.getTime() ?? null,
    revokedAt: revokedAt?.getTime() ?? null,
  };
}

function periodViews(certificate: KmsCertificate, owner: string, now: number): PeriodView[] {
  const present = periodAt(certificate, now);
  return [present, present + 1n].map((number) => {
    const { from, to } = periodBounds(certificate, number);
    return {
      kmsUri: certificate.kmsUri,
      owner,
      number: String(number),
      from: from?.getTime() ?? null,
      to: to?.getTime() ?? null,
      current: number === present,
    };
  });
}
