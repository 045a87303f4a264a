/** Whether a partner's IdM issues a token for one of our users, and whether that opens a document. */
import { z } from 'zod';
import { SegyError, toSegyError } from '../../base/errors.js';
import type { PartnerConfig } from '../../config/index.js';
import { tryDocument } from '../../partner-documents/index.js';
import { PartnerIdm } from '../../idm-client/index.js';
import { readPins } from '../partner-tls.js';
import { readKeyFile } from '../protection.js';
import { action, type ActionContext } from './action.js';

export interface IdmTrial {
  readonly step: 'metadata' | 'token' | 'document';
  readonly ok: boolean;
  /** what was found, or why it failed; never a token */
  readonly detail: string;
}

export const PARTNER_IDM_ACTIONS = {
  'partner/try-idm': action({
    body: z.strictObject({ partner: z.string() }),
    changes: false,
    timeoutMs: 120_000,
    run: async (context, { partner: name }): Promise<{ trials: IdmTrial[] }> => {
      const partner = context.config?.partners.find((each) => each.name === name);
      if (partner === undefined) throw new SegyError('SEGY_E_NOT_FOUND', `${name} is no partner`);
      return { trials: await tryIdm(context, partner) };
    },
  }),
};

/** One step after the other; after the first that fails none is tried that needs it. */
async function tryIdm(context: ActionContext, partner: PartnerConfig): Promise<IdmTrial[]> {
  const trials: IdmTrial[] = [];
  const attempt = async <T>(
    step: IdmTrial['step'],
    work: () => Promise<{ value: T; detail: string }>,
  ): Promise<T | undefined> => {
    try {
      const { value, detail } = await work();
      trials.push({ step, ok: true, detail });
      return value;
    } catch (error) {
      const { code, message } = toSegyError(error);
      trials.push({ step, ok: false, detail: `${code} ${message}` });
      return undefined;
    }
  };
  const group = partner.groups.find(({ affiliate }) => affiliate.length > 0);
  const user = group?.affiliate[0] ?? context.config?.users[0]?.uri;
  let token: string | null = null;
  const { idm, groupDocuments: documents } = partner;
  if (idm !== undefined) {
    const keys = await context.signingKeys();
    const signer = (): ReturnType<typeof keys.signer> => keys.signer();
    const { clock, random } = context;
    const parts = { clock, random, signer, readFile: readKeyFile };
    const server = await attempt('metadata', async () => {
      const made = new PartnerIdm(idm, readPins(idm.tls), parts);
      const { tokenEndpoint, lacks } = await made.metadata();
      if (lacks.length > 0) {
        throw new SegyError('SEGY_E_PARTNER_IDM', `the metadata lacks ${lacks.join(' and ')}`);
      }
      const pinned = idm.tokenEndpoint === undefined ? '' : ', pinned';
      return { value: made, detail: `token endpoint ${tokenEndpoint}${pinned}` };
    });
    if (server === undefined) return trials;
    const issued = await attempt('token', async () => {
      if (user === undefined) throw new SegyError('SEGY_E_CONFIG', 'there is no user to ask for');
      const { token: value, seconds } = await server.token(user);
      return { value, detail: `for ${user}, good for ${Math.round(seconds)} s` };
    });
    if (issued === undefined) return trials;
    token = issued;
  }
  if (documents === undefined || group === undefined || user === undefined) return trials;
  await attempt('document', async () => {
    const members = await tryDocument(documents, readPins(documents.tls), {
      folder: partner.codePoints.groupDocumentPath,
      ...{ group: group.id, user },
      token: documents.accessToken ? token : null,
    });
    return { value: members, detail: `of ${group.id}, ${members} members` };
  });
  return trials;
}
