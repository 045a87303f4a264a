/** The key calendar: every key, period and certificate with its bar on one time line. */
import type { CalendarRow } from '../model.js';
import { tableRow } from './cells.js';
import { all, byId, make } from './dom.js';
import type { PageElement } from './dom.js';
import { now, timeText } from './times.js';

const LABELS = ['What', 'Owner', 'State', 'From', 'Until', 'Time line'];
const DAY_MS = 86_400_000;
/** Part of the line that lies before now. */
const PAST = 0.25;
const TICKS = 4;

let spanDays = 90;

export function calendarRow(row: CalendarRow): PageElement {
  const { kind, name, owner, groups, from, to, state } = row;
  const look = lookOf(row);
  const what = [
    make('span', 'name mono', name),
    make('span', 'sub', groups.length === 0 ? kind : `${kind} of ${groups.join(', ')}`),
  ];
  return tableRow(
    LABELS,
    [
      { inside: what },
      owner,
      { inside: make('span', STATE_CLASS[look], state) },
      { inside: from === null ? 'always' : timeText(from), className: 'fixed' },
      { inside: to === null ? 'no end' : timeText(to), className: 'fixed' },
      { inside: line(row, look), className: 'track' },
    ],
    look === 'revoked' ? 'is-revoked' : '',
  );
}

/** @param onChange is called when another span was chosen */
export function watchSpans(onChange: () => void): void {
  for (const input of all('input[name="span"]')) {
    input.addEventListener('change', () => {
      spanDays = Number(input.value);
      onChange();
    });
  }
}

/** The days under the line. */
export function drawAxis(): void {
  const { begin, length } = bounds();
  const ticks = Array.from({ length: TICKS + 1 }, (_, index) => {
    const tick = make('span', '', tickText(begin + (length * index) / TICKS));
    tick.style.setProperty('left', `${(100 * index) / TICKS}%`);
    return tick;
  });
  byId('axis').replaceChildren(...ticks);
  byId('range').textContent = `${dayText(begin)} to ${dayText(begin + length)}`;
}

/** As short as the span lets it be: five have room on the line. */
function tickText(ms: number): string {
  if (spanDays <= 2) return timeText(ms).slice(5);
  return spanDays <= 90 ? dayText(ms).slice(5) : dayText(ms).slice(0, 7);
}

function dayText(ms: number): string {
  return timeText(ms).slice(0, 10);
}

type Look = 'active' | 'pending' | 'ended' | 'revoked';

const STATE_CLASS = {
  active: 'good',
  pending: 'quiet',
  ended: 'warn',
  revoked: 'bad badge',
} as const satisfies Record<Look, string>;

function lookOf({ from, to, state }: CalendarRow): Look {
  if (state === 'revoked') return 'revoked';
  if (to !== null && to <= now()) return 'ended';
  if (from !== null && from > now()) return 'pending';
  return 'active';
}

function bounds(): { readonly begin: number; readonly length: number } {
  const length = spanDays * DAY_MS;
  return { begin: now() - length * PAST, length };
}

/** For the eye only: the row says the same in words. */
function line({ from, to }: CalendarRow, look: Look): PageElement {
  const { begin, length } = bounds();
  const place = (ms: number): number => (100 * (ms - begin)) / length;
  const left = Math.max(0, from === null ? 0 : place(from));
  const right = Math.min(100, to === null ? 100 : place(to));
  const track = make('div', 'line');
  track.setAttribute('aria-hidden', 'true');
  if (right > 0 && left < 100 && right >= left) {
    const bar = make('div', `bar ${look}${to === null ? ' open' : ''}`);
    bar.style.setProperty('left', `${left}%`);
    bar.style.setProperty('width', `${right - left}%`);
    track.append(bar);
    for (const edge of [from, to]) {
      if (edge === null || place(edge) < 0 || place(edge) > 100) continue;
      track.append(mark('edge', place(edge)));
    }
  }
  track.append(mark('now', 100 * PAST));
  return track;
}

function mark(className: string, percent: number): PageElement {
  const element = make('div', className);
  element.style.setProperty('left', `${percent}%`);
  return element;
}
