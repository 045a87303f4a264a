/**
 * HTTPS on the outer side, ignorant of what is served: a listener that is hard to wear out, and a
 * client that talks to pinned peers only.
 */
export { bearerChallenge, bearerOf } from './bearer.js';
export type { BearerError } from './bearer.js';
export { ClientLimits, clientKey } from './client-limits.js';
export type { ClientLimitOptions, ClientRate } from './client-limits.js';
export { httpsFetch } from './client.js';
export type { ClientBounds, IncomingResponse, OutgoingRequest, PinnedTls } from './client.js';
export { retryAfter } from './retry-after.js';
export { HttpsListener } from './listener.js';
export type { ListenerLimits, ListenerOptions, ListenerTls } from './listener.js';
export { jsonResponse, methodNotAllowed } from './message.js';
export type {
  ClientCertificate,
  HttpRequest,
  HttpRequestHead,
  HttpResponse,
  HttpRoute,
  Refused,
  StagedRoute,
  WholeRoute,
} from './message.js';
export type { TlsVersion } from './tls.js';
