/** Rows of a panel, kept by their identifiers, so that only what changed is drawn anew. */
import { byId, make } from './dom.js';
import type { PageElement } from './dom.js';

export type Inside = string | PageElement | readonly (string | PageElement)[];

/** One cell: its content, and a class of the style. */
export interface Cell {
  readonly inside: Inside;
  readonly className?: string;
}

/** A row of a table; `labels` are what a narrow screen shows before each cell. */
export function tableRow(
  labels: readonly string[],
  cells: readonly (Cell | string)[],
  className = '',
): PageElement {
  const row = make('tr', className);
  row.setAttribute('role', 'row');
  for (const [index, cell] of cells.entries()) {
    const { inside, className: kind = '' } = typeof cell === 'string' ? { inside: cell } : cell;
    const element = make('td', inside === '' ? `${kind} none` : kind);
    element.setAttribute('role', 'cell');
    element.dataset.label = labels[index] ?? '';
    // One child, so that a narrow screen can set it beside its label.
    const content = typeof inside === 'string' ? [inside] : 'append' in inside ? [inside] : inside;
    element.append(make('div', '', ...content));
    row.append(element);
  }
  return row;
}

/** The rows of one panel in the page. */
export class Rows<R extends { readonly id: string }> {
  readonly #name: string;
  readonly #draw: (row: R) => PageElement;
  readonly #none: string;
  readonly #shown = new Map<string, { row: R; element: PageElement }>();
  #order: readonly string[] = [];

  /** @param none what the panel says when it has no row */
  constructor(name: string, none: string, draw: (row: R) => PageElement) {
    this.#name = name;
    this.#none = none;
    this.#draw = draw;
  }

  get rows(): R[] {
    return this.#order.flatMap((id) => this.#shown.get(id)?.row ?? []);
  }

  update(order: readonly string[] | undefined, rows: readonly R[]): void {
    for (const row of rows) {
      const element = this.#draw(row);
      this.#shown.get(row.id)?.element.replaceWith(element);
      this.#shown.set(row.id, { row, element });
    }
    if (order !== undefined) this.#arrange(order);
    this.#showCount();
  }

  redraw(): void {
    this.update(undefined, this.rows);
  }

  #arrange(order: readonly string[]): void {
    this.#order = order;
    const wanted = new Set(order);
    for (const [id, { element }] of this.#shown) {
      if (wanted.has(id)) continue;
      element.remove();
      this.#shown.delete(id);
    }
    const body = byId(`${this.#name}-rows`);
    for (const [index, id] of order.entries()) {
      const element = this.#shown.get(id)?.element;
      const there = body.children[index] ?? null;
      if (element !== undefined && element !== there) body.insertBefore(element, there);
    }
  }

  #showCount(): void {
    const count = this.#order.length;
    const empty = byId(`${this.#name}-empty`);
    empty.textContent = this.#none;
    empty.hidden = count > 0;
    const isList = this.#name === 'alarms';
    byId(isList ? 'alarms-rows' : `${this.#name}-table`).hidden = count === 0;
    byId(`${this.#name}-count`).textContent = count === 0 ? '' : `(${count})`;
  }
}
