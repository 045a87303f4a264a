/** Times as text, in UTC, and spans that go on counting by the gateway's clock. */
import { all, make } from './dom.js';
import type { PageElement } from './dom.js';

/** The gateway's clock against the browser's, in milliseconds. */
let offset = 0;

export function setClock(gatewayNow: number): void {
  offset = gatewayNow - Date.now();
}

export function now(): number {
  return Date.now() + offset;
}

/** `2026-03-01 14:05` */
export function timeText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? '–' : date.toISOString().slice(0, 16).replace('T', ' ');
}

/** `2026-03-01 14:05:09` */
export function secondText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? '–' : date.toISOString().slice(0, 19).replace('T', ' ');
}

/** `0:07`, `12:31`, `3:02:10`, `4 d 2 h` */
function spanText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  if (hours >= 48) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  if (hours > 0) return `${hours}:${two(minutes)}:${two(seconds % 60)}`;
  return `${minutes}:${two(seconds % 60)}`;
}

/** Text that says how long it is since `ms`, and goes on. */
export function running(ms: number): PageElement {
  const element = make('span', '', spanText(now() - ms));
  element.dataset.since = String(ms);
  return element;
}

/** Draws all running times anew. */
export function tick(): void {
  for (const element of all('[data-since]')) {
    const text = spanText(now() - Number(element.dataset.since));
    if (element.textContent !== text) element.textContent = text;
  }
}
