/**
 * Large documents read, searched and changed on a thread of their own, so that thousands of members
 * stop neither calls nor other requests. A few tasks may wait; the thread is made when it is first
 * needed, and anew when it died.
 */
import { Worker } from 'node:worker_threads';
import type { Log } from '../base/environment.js';
import { SegyError } from '../base/errors.js';
import type { GroupDocumentNames } from '../config/index.js';
import { XcapConflict } from '../xcap/index.js';
import type {
  ChangedDocument,
  Nodes,
  NodeSelector,
  SelectedNode,
  XcapDocument,
} from '../xcap/index.js';
import type { GroupDocument } from './document-model.js';
import type { DocumentAnswer, DocumentJob, DocumentTask } from './document-work.js';

/** Tasks that wait or are done. */
const MAX_TASKS = 16;
const MAX_HEAP_MB = 512;

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class DocumentThread implements Nodes {
  readonly #log: Log;
  readonly #workerUrl: URL;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #lastId = 0;
  #closed = false;

  /** @param workerUrl the thread's program, for tests */
  constructor(log: Log, workerUrl = new URL('./document-worker.js', import.meta.url)) {
    this.#log = log;
    this.#workerUrl = workerUrl;
  }

  /** @throws SegyError as `readGroupDocument`; SEGY_E_BUSY, SEGY_E_CANCELLED, SEGY_E_INTERNAL */
  readonly read = (octets: Uint8Array, names: GroupDocumentNames): Promise<GroupDocument> =>
    this.#run({ op: 'read', octets, names }) as Promise<GroupDocument>;

  select(document: XcapDocument, selector: NodeSelector): Promise<SelectedNode | undefined> {
    const { octets, etag } = document;
    const task = { op: 'select', document: { octets, etag }, selector } as const;
    return this.#run(task) as Promise<SelectedNode | undefined>;
  }

  put(document: XcapDocument, selector: NodeSelector, body: string): Promise<ChangedDocument> {
    const { octets, etag } = document;
    const task = { op: 'put', document: { octets, etag }, selector, body } as const;
    return this.#run(task) as Promise<ChangedDocument>;
  }

  delete(document: XcapDocument, selector: NodeSelector): Promise<string | undefined> {
    const { octets, etag } = document;
    const task = { op: 'delete', document: { octets, etag }, selector } as const;
    return this.#run(task) as Promise<string | undefined>;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#fail(new SegyError('SEGY_E_CANCELLED', 'the gateway is ending'));
    await this.#worker?.terminate();
  }

  #run(task: DocumentTask): Promise<unknown> {
    if (this.#closed) {
      return Promise.reject(new SegyError('SEGY_E_CANCELLED', 'the gateway is ending'));
    }
    if (this.#pending.size >= MAX_TASKS) {
      return Promise.reject(new SegyError('SEGY_E_BUSY', 'too many large documents at a time'));
    }
    this.#lastId += 1;
    const job: DocumentJob = { id: this.#lastId, task };
    return new Promise((resolve, reject) => {
      this.#pending.set(job.id, { resolve, reject });
      this.#worker ??= this.#start();
      this.#worker.ref();
      this.#worker.postMessage(job);
    });
  }

  #start(): Worker {
    const worker = new Worker(this.#workerUrl, {
      name: 'segy-documents',
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    worker.on('message', (answer: DocumentAnswer) => this.#answered(answer));
    worker.on('error', ({ message }) => this.#log.error('gms.document.thread', { message }));
    worker.on('exit', () => {
      this.#worker = undefined;
      this.#fail(new SegyError('SEGY_E_INTERNAL', 'the thread of the documents ended'));
    });
    return worker;
  }

  #answered(answer: DocumentAnswer): void {
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if (this.#pending.size === 0) this.#worker?.unref();
    if (answer.kind === 'done') pending?.resolve(answer.value);
    else if (answer.kind === 'failed') {
      pending?.reject(new SegyError(answer.code, answer.message));
    } else pending?.reject(new XcapConflict(answer.element, answer.message, answer.details));
  }

  #fail(error: SegyError): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}
