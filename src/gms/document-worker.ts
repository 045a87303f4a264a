/** Thread of the large documents: one task at a time, with the trees of the last ones kept. */
import { parentPort } from 'node:worker_threads';
import { SegyError, toSegyError } from '../base/errors.js';
import { TreeNodes, XcapConflict } from '../xcap/index.js';
import { readGroupDocument } from './group-document.js';
import type { DocumentAnswer, DocumentJob, DocumentTask } from './document-work.js';

const port = parentPort;
if (port === null) throw new SegyError('SEGY_E_INTERNAL', 'this file runs as a worker thread only');

const nodes = new TreeNodes();

async function perform(task: DocumentTask): Promise<unknown> {
  switch (task.op) {
    case 'read':
      return readGroupDocument(task.octets, task.names);
    case 'select':
      return nodes.select(task.document, task.selector);
    case 'put':
      return nodes.put(task.document, task.selector, task.body);
    case 'delete':
      return nodes.delete(task.document, task.selector);
  }
}

async function answer({ id, task }: DocumentJob): Promise<DocumentAnswer> {
  try {
    return { id, kind: 'done', value: await perform(task) };
  } catch (error) {
    if (error instanceof XcapConflict) {
      const { element, message, details } = error;
      return { id, kind: 'conflict', element, message, details };
    }
    const { code, message } = toSegyError(error);
    return { id, kind: 'failed', code, message };
  }
}

port.on('message', (job: DocumentJob) => {
  void answer(job).then((made) => port.postMessage(made));
});
