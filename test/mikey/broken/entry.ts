/** How an entry of the table of broken messages is written: what is altered, and the one code it gets. */
import { type MikeyErrorCode } from '../../../src/base/errors.js';
import { type OpenContext } from '../../../src/mikey/index.js';
import { type Draft } from '../../support/mikey-kit.js';
import { makeDraft, makeMessage, type SceneOptions, signDraft } from '../../support/mikey-scene.js';

export interface Broken {
  readonly name: string;
  /** without the SEGY_E_MIKEY_ that all share */
  readonly code: MikeyErrorCode extends `SEGY_E_MIKEY_${infer Rest}` ? Rest : never;
  readonly message: () => Promise<Uint8Array>;
  readonly context?: () => Promise<OpenContext>;
}

type Code = Broken['code'];
type Make = () => Promise<Uint8Array>;

/** A correctly signed message whose draft was altered. */
export function signed(
  name: string,
  code: Code,
  alter: (draft: Draft) => void,
  scene: SceneOptions = {},
): Broken {
  const message = async (): Promise<Uint8Array> => {
    const draft = await makeDraft(scene);
    alter(draft);
    return signDraft(draft);
  };
  return { name, code, message };
}

/** A correctly signed message of another scene, perhaps in other surroundings. */
export function scene(
  name: string,
  code: Code,
  options: SceneOptions,
  context?: () => Promise<OpenContext>,
): Broken {
  return { name, code, message: () => makeMessage(options), ...(context && { context }) };
}

/** A valid message in surroundings that forbid it. */
export function refusedBy(name: string, code: Code, context: () => Promise<OpenContext>): Broken {
  return { name, code, message: () => makeMessage(), context };
}

/** A message whose octets are no longer those that were signed. */
export function altered(
  name: string,
  code: Code,
  alter: (octets: Uint8Array) => Uint8Array | Promise<Uint8Array>,
): Broken {
  const message: Make = async () => alter(await makeMessage());
  return { name, code, message };
}

export const without = (draft: Draft, index: number): void => void draft.parts.splice(index, 1);
export const replace = (draft: Draft, index: number, ...parts: Draft['parts']): void =>
  void draft.parts.splice(index, 1, ...parts);
export const flip = (octets: Uint8Array, at: number): Uint8Array =>
  octets.with(at, (octets.at(at) ?? 0) ^ 1);

/** Where the payloads of a draft of makeDraft() stand. */
export const AT = {
  t: 0,
  rand: 1,
  idri: 2,
  idrr: 3,
  idrkmsi: 4,
  idrkmsr: 5,
  sp: 6,
  sakke: 7,
  ge: 8,
};
