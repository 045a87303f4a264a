/**
 * Broken I_MESSAGEs, most of them correctly signed by a user who may send, and the one code each gets.
 * An entry is named after what is wrong with it.
 */
import type { Broken } from './entry.js';
import { FORM } from './form.js';
import { KEYS } from './keys.js';
import { PEOPLE } from './people.js';
import { POLICIES } from './policies.js';

export const BROKEN: readonly Broken[] = [...FORM, ...PEOPLE, ...KEYS, ...POLICIES];
