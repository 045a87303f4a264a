/** A talkgroup of the radio side with members in two partner domains, and where it is kept. */
import { fileURLToPath } from 'node:url';
import { silentLog } from '../../src/base/environment.js';
import type { RecordSpace } from '../../src/base/records.js';
import { GroupStore } from '../../src/gms/index.js';
import type { GroupMember, MemberHome, NewGroup } from '../../src/gms/index.js';
import { MemoryBackend, openStore } from '../../src/store/index.js';
import { storeOptions } from '../store/support.js';

export const TALKGROUP = 'sip:tg1@lmr.example';
export const RADIO = 'sip:radio1@lmr.example';
export const ALICE = 'sip:alice@mc-a.example';
export const BOB = 'sip:bob@mc-b.example';

export function schemaFile(name: string): string {
  return fileURLToPath(new URL(`../../../test/fixtures/gms/${name}`, import.meta.url));
}

/** By the host of the identity: ours, of partner `a` or of partner `b`. */
export function homeOf(uri: string): MemberHome | undefined {
  if (uri.endsWith('@lmr.example')) return { partner: '', kmsUri: 'kms.segy.example' };
  if (uri.endsWith('@mc-a.example')) return { partner: 'a', kmsUri: 'kms.mc-a.example' };
  if (uri.endsWith('@mc-b.example')) return { partner: 'b', kmsUri: 'kms.mc-b.example' };
  return undefined;
}

export function member(uri: string, more: Partial<GroupMember> = {}): GroupMember {
  const home = homeOf(uri);
  if (home === undefined) throw new Error(`${uri} has no home`);
  const none = { displayName: null, priority: null, mcvideoId: null, mcdataId: null };
  return { uri, ...home, ...none, ...more };
}

export function newGroup(more: Partial<NewGroup> = {}): NewGroup {
  return {
    id: TALKGROUP,
    displayName: 'Fire & rescue',
    pbx: 'tg1',
    members: [RADIO, ALICE, BOB].map((uri) => member(uri)),
    ...more,
  };
}

/** One memory store whose namespaces outlive those who open them. */
export async function memorySpace(): Promise<(namespace: string) => RecordSpace> {
  const store = await openStore(storeOptions(new MemoryBackend()));
  return (namespace) => store.space(namespace);
}

export async function groupStore(records?: RecordSpace): Promise<GroupStore> {
  return GroupStore.open(records ?? (await memorySpace())('groups'), { log: silentLog });
}
