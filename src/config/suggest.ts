/** What a misspelt setting may have meant: the known names at its place, and the nearest of them. */
import type { z } from 'zod';

interface Definition {
  readonly type?: string;
  readonly innerType?: z.core.$ZodType;
  readonly element?: z.core.$ZodType;
  readonly options?: readonly z.core.$ZodType[];
  readonly in?: z.core.$ZodType;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
}

const definition = (schema: z.core.$ZodType): Definition => schema._zod.def;

/** The objects that may stand where `schema` is. */
function objectsOf(schema: z.core.$ZodType): Definition[] {
  const def = definition(schema);
  if (def.shape !== undefined) return [def];
  if (def.options !== undefined) return def.options.flatMap(objectsOf);
  const inner = def.innerType ?? def.in;
  return inner === undefined ? [] : objectsOf(inner);
}

function elementOf(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  const def = definition(schema);
  if (def.element !== undefined) return def.element;
  const inner = def.innerType ?? def.in;
  return inner === undefined ? undefined : elementOf(inner);
}

/** Names of the settings at `path`. */
export function knownNames(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  let at: z.core.$ZodType[] = [schema];
  for (const step of path) {
    at = at.flatMap((each) => {
      if (typeof step === 'number') return elementOf(each) ?? [];
      return objectsOf(each).flatMap(({ shape }) => shape?.[String(step)] ?? []);
    });
  }
  return [...new Set(at.flatMap(objectsOf).flatMap(({ shape }) => Object.keys(shape ?? {})))];
}

/** Where a setting of that name belongs, as dotted paths; `[]` stands for any entry of a list. */
export function placesOf(schema: z.core.$ZodType, name: string, path = ''): string[] {
  return objectsOf(schema).flatMap(({ shape }) =>
    Object.entries(shape ?? {}).flatMap(([key, value]) => {
      const here = path === '' ? key : `${path}.${key}`;
      const element = elementOf(value);
      const below =
        element === undefined ? placesOf(value, name, here) : placesOf(element, name, `${here}[]`);
      return key === name ? [here, ...below] : below;
    }),
  );
}

/** The name nearest to `wrong`, if one is near enough to have been meant. */
export function nearest(wrong: string, names: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(wrong.length / 3));
  const ranked = names
    .map((name) => ({ name, distance: distance(wrong.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best !== undefined && best.distance <= limit ? best.name : undefined;
}

/** Letters to insert, delete, change or swap with their neighbour. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        (rows[i - 1]?.[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (rows[i - 1]?.[j - 1] ?? 0) + (same ? 0 : 1),
        swapped ? (rows[i - 2]?.[j - 2] ?? 0) + 1 : Infinity,
      );
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] ?? 0;
}
