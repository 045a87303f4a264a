/**
 * What FreeSWITCH says of its configuration (`xml_locate`), read as far as a check asks about it.
 */
import { attribute, parseXml } from '../xml/index.js';
import type { XmlElement } from '../xml/index.js';
import { CONTEXT_VARIABLE, TARGET_VARIABLE } from '../pbx/esl/events.js';

/** The whole configuration of an operator's profiles; the limits are against a peer that never ends. */
const LIMITS = { maxBytes: 8_388_608, maxDepth: 64, maxElements: 100_000, maxAttributes: 64 };

export interface ContextFacts {
  /** a park that is set up as the gateway needs it */
  readonly parks: boolean;
  readonly parksWithLimit: boolean;
  readonly saysWhereToGoOn: boolean;
  /** where its calls go on: contexts named by transfers and by SEGY_CONTEXT */
  readonly transfers: readonly { readonly extension: string; readonly context: string }[];
  /** sofia gateways that it dials by name */
  readonly gateways: readonly string[];
  /** modules of the applications that not every FreeSWITCH has */
  readonly modules: readonly string[];
  /** patterns of its extensions; null for one that takes every destination */
  readonly patterns: readonly (string | null)[];
}

const MODULES = new Map([
  ['limit', 'mod_hash'],
  ['conference', 'mod_conference'],
]);

interface Action {
  readonly application: string;
  readonly data: string;
}

/** The element that `xml_locate` found. @returns null when it found none, or none that can be read */
export function readLocated(answer: string): XmlElement | null {
  const at = answer.indexOf('<');
  if (at < 0) return null;
  try {
    return parseXml(answer.slice(at).trim(), LIMITS);
  } catch {
    return null;
  }
}

/** What is in a context. @returns null for none */
export function contextFacts(context: XmlElement | null): ContextFacts | null {
  if (context === null) return null;
  const extensions = context.children.filter(({ localName }) => localName === 'extension');
  const chains = extensions.map(actionsOf);
  const parking = chains.filter((chain) => chain.some(isPark));
  const all = chains.flat();
  return {
    parks: parking.length > 0,
    parksWithLimit: parking.every((chain) => setsBeforePark(chain, 'park_timeout')),
    saysWhereToGoOn: parking.every((chain) =>
      [CONTEXT_VARIABLE, TARGET_VARIABLE].every((name) => setsBeforePark(chain, name)),
    ),
    transfers: [...all.flatMap(transferOf), ...all.flatMap(handOverOf)],
    gateways: all.flatMap(gatewaysOf),
    modules: all.flatMap(({ application }) => MODULES.get(application) ?? []),
    patterns: extensions.flatMap(patternsOf),
  };
}

/** Whether an extension of the context takes calls to `extension`; true where that cannot be told. */
export function namesExtension({ patterns }: ContextFacts, extension: string): boolean {
  return patterns.some((pattern) => {
    if (pattern === null) return true;
    try {
      return new RegExp(pattern).test(extension);
    } catch {
      return true; // a pattern in a form that only FreeSWITCH's own expressions have
    }
  });
}

/** Actions of an extension, conditions and anti-actions included, in their order. */
function actionsOf(element: XmlElement): Action[] {
  return element.children.flatMap((child) =>
    /^(anti-)?action$/.test(child.localName)
      ? [
          {
            application: attribute(child, 'application') ?? '',
            data: attribute(child, 'data') ?? '',
          },
        ]
      : actionsOf(child),
  );
}

const isPark = ({ application }: Action): boolean => application === 'park';

function setsBeforePark(chain: readonly Action[], name: string): boolean {
  const until = chain.findIndex(isPark);
  return chain
    .slice(0, until)
    .some(
      ({ application, data }) =>
        /^(set|export)$/.test(application) && data.replace(/^nolocal:/, '').startsWith(`${name}=`),
    );
}

/** `transfer` with a context of its own; what holds a variable is known only in a call. */
function transferOf({ application, data }: Action): { extension: string; context: string }[] {
  if (application !== 'transfer') return [];
  const [first = '', ...rest] = data.split(' ').filter((word) => word !== '');
  const [extension = '', dialplan = '', context = ''] = first.startsWith('-')
    ? rest
    : [first, ...rest];
  if (dialplan !== 'XML' || !/^[A-Za-z0-9._-]+$/.test(context)) return [];
  return [{ extension: extension.includes('$') ? '' : extension, context }];
}

function handOverOf({ application, data }: Action): { extension: string; context: string }[] {
  const context = new RegExp(`^${CONTEXT_VARIABLE}=([A-Za-z0-9._-]+)$`).exec(data)?.[1];
  return application === 'set' && context !== undefined ? [{ extension: '', context }] : [];
}

function gatewaysOf({ data }: Action): string[] {
  return [...data.matchAll(/sofia\/gateway\/([A-Za-z0-9._-]+)\//g)].map(([, name = '']) => name);
}

function patternsOf(extension: XmlElement): (string | null)[] {
  const conditions = extension.children.filter(({ localName }) => localName === 'condition');
  const expressions = conditions
    .filter((condition) => attribute(condition, 'field') === 'destination_number')
    .map((condition) => attribute(condition, 'expression') ?? null);
  return expressions.length === 0 ? [null] : expressions;
}
