/** Panels as text, and what changed between two of them: the body of an event. */
import type { Change, PanelName, Panels } from './model.js';

interface PanelText {
  readonly order: string;
  readonly rows: ReadonlyMap<string, string>;
}

export type PanelTexts = Readonly<Record<string, PanelText>>;

/** Of rows that are the same array as before, which is how what changes slowly comes. */
const known = new WeakMap<Panels[PanelName], PanelText>();

export function textsOf(panels: Panels): PanelTexts {
  return Object.fromEntries(
    Object.entries(panels).map(([name, rows]: [string, Panels[PanelName]]) => {
      const text = known.get(rows) ?? textOf(rows);
      known.set(rows, text);
      return [name, text];
    }),
  );
}

function textOf(rows: Panels[PanelName]): PanelText {
  return {
    order: JSON.stringify(rows.map(({ id }) => id)),
    rows: new Map(rows.map((row) => [row.id, JSON.stringify(row)])),
  };
}

/**
 * What leads from `before` to `after`; everything when there is no `before`.
 * @returns a `Change` as JSON in one line; null when nothing changed
 */
export function changeText(
  before: PanelTexts | undefined,
  after: PanelTexts,
  now: Change['now'],
): string | null {
  const panels = Object.entries(after).flatMap(([name, { order, rows }]) => {
    const old = before?.[name];
    const changed = [...rows].filter(([id, text]) => old?.rows.get(id) !== text);
    const newOrder = old?.order === order ? '' : `"order":${order},`;
    if (changed.length === 0 && newOrder === '') return [];
    return [`"${name}":{${newOrder}"rows":[${changed.map(([, text]) => text).join(',')}]}`];
  });
  return panels.length === 0 ? null : `{"now":${now},"panels":{${panels.join(',')}}}`;
}
