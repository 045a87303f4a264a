/** What is done to large documents on a thread of their own, and how it is asked for and answered. */
import type { SegyErrorCode } from '../base/errors.js';
import type { GroupDocumentNames } from '../config/index.js';
import type {
  NodeSelector,
  XcapConflictDetails,
  XcapDocument,
  XcapErrorName,
} from '../xcap/index.js';

export type DocumentTask =
  | { readonly op: 'read'; readonly octets: Uint8Array; readonly names: GroupDocumentNames }
  | {
      readonly op: 'select' | 'delete';
      readonly document: XcapDocument;
      readonly selector: NodeSelector;
    }
  | {
      readonly op: 'put';
      readonly document: XcapDocument;
      readonly selector: NodeSelector;
      readonly body: string;
    };

export interface DocumentJob {
  readonly id: number;
  readonly task: DocumentTask;
}

export type DocumentAnswer = { readonly id: number } & (
  | { readonly kind: 'done'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly code: SegyErrorCode; readonly message: string }
  | {
      readonly kind: 'conflict';
      readonly element: XcapErrorName;
      readonly message: string;
      readonly details: XcapConflictDetails;
    }
);
