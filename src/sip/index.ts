/**
 * A narrow SIP stack: messages, URIs, bodies, SDP, transports and transactions. It knows neither MC nor
 * dialogs. Everything from the network is bounded and ends in a SegyError of SEGY_E_SIP_*.
 */
export * from './check.js';
export * from './fields.js';
export * from './headers.js';
export * from './host.js';
export * from './limits.js';
export * from './message.js';
export * from './multipart.js';
export * from './name-addr.js';
export * from './params.js';
export * from './response.js';
export * from './sdp.js';
export * from './sdp-facts.js';
export * from './uri.js';
export * from './via.js';
export { decodeText, encodeText, quoteString } from './text.js';
export * from './endpoint.js';
export * from './peers.js';
export * from './timing.js';
export type { ClientTransaction, ServerEnd, ServerTransaction } from './transaction/context.js';
export {
  checkTlsIdentity,
  type TlsIdentity,
  type TlsListenOptions,
  type TlsVersion,
} from './transport/tls.js';
export type { ListenOptions } from './transport/transports.js';
