/** The reader of partners' group documents, its tokens and what becomes of the keys in them. */
import type { Alarms } from '../base/alarms.js';
import type { Environment } from '../base/environment.js';
import { takeKeyDocument, type GroupsPort } from '../edge/index.js';
import { DocumentsOfPartners, type TokenSource } from '../partner-documents/index.js';
import { readPins } from './partner-tls.js';

export interface DocumentParts {
  readonly env: Environment;
  readonly alarms: Alarms;
  readonly tokens: TokenSource;
  readonly groups: GroupsPort;
}

/** It reads nothing before its first `prepare` is put in force. */
export function makeDocuments({ env, alarms, tokens, groups }: DocumentParts): DocumentsOfPartners {
  return new DocumentsOfPartners({
    env,
    alarms,
    tokens,
    readTls: readPins,
    takeKeys: (partner, octets) => takeKeyDocument({ env, groups }, partner, octets),
  });
}
