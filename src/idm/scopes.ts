/** Scopes of group management, by the names that a partner uses (TS 33.180 B.4.2.2). */
import type { CodePoints } from '../config/index.js';
import { MC_SERVICES, type McService, type ServiceIds } from './ports.js';

/** The service whose groups a scope opens; undefined for any other scope. */
export function serviceOfScope(scope: string, codePoints: CodePoints): McService | undefined {
  if (scope === codePoints.scopeMcpttOld) return 'MCPTT';
  return MC_SERVICES.find((service) => scopeOf(service, codePoints) === scope);
}

export function scopeOf(service: McService, codePoints: CodePoints): string {
  const { scopeMcptt, scopeMcvideo, scopeMcdata } = codePoints;
  return { MCPTT: scopeMcptt, MCVideo: scopeMcvideo, MCData: scopeMcdata }[service];
}

/** The MC service IDs among `claims`; values that are no text are left for the caller to refuse. */
export function claimOf(service: McService, codePoints: CodePoints): string {
  const { claimMcptt, claimMcvideo, claimMcdata } = codePoints;
  return { MCPTT: claimMcptt, MCVideo: claimMcvideo, MCData: claimMcdata }[service];
}

/**
 * What is granted of `wanted` (null: everything that may be): group management of services in which
 * the user has an ID and which the client may have, and what else the client's list names; nothing
 * where no group management is among it.
 */
export function grantScopes(
  wanted: readonly string[] | null,
  allowed: readonly string[] | undefined,
  ids: ServiceIds,
  codePoints: CodePoints,
): string[] {
  const all = MC_SERVICES.map((service) => scopeOf(service, codePoints));
  const services = (scopes: readonly string[]): unknown[] =>
    scopes.map((scope) => serviceOfScope(scope, codePoints));
  const granted = [...new Set(wanted ?? allowed ?? all)].filter((scope) => {
    const service = serviceOfScope(scope, codePoints);
    if (service === undefined) return allowed?.includes(scope) === true;
    const may = allowed === undefined || services(allowed).includes(service);
    return may && ids[service] !== undefined;
  });
  return services(granted).some((service) => service !== undefined) ? granted : [];
}
