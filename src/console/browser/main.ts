/** The page: follows the gateway's events and shows what they say. It tells the gateway nothing. */
import type { Change, GatewayRow } from '../model.js';
import { calendarRow, drawAxis, watchSpans } from './calendar.js';
import { Rows } from './cells.js';
import { byId, page } from './dom.js';
import { alarmRow, auditRow, callRow, gatewayFacts, partnerRow } from './panels.js';
import { setClock, tick } from './times.js';

interface Events {
  readonly readyState: number;
  onopen: () => void;
  onerror: () => void;
  onmessage: (event: { readonly data: string }) => void;
  addEventListener(type: string, listener: () => void): void;
  close(): void;
}

declare const EventSource: new (url: string) => Events;
declare const location: { assign(url: string): void };

const CLOSED = 2;
/** Bars move with time, slowly. */
const REDRAW_MS = 60_000;
/** Somebody at the page is told of so often at most. */
const ALIVE_MS = 60_000;
const TRY_AGAIN_MS = 3000;

const panels = {
  alarms: new Rows('alarms', 'No alarm stands.', alarmRow),
  calls: new Rows('calls', 'No call is up.', callRow),
  partners: new Rows('partners', 'No partner is configured.', partnerRow),
  calendar: new Rows('calendar', 'No key and no certificate is held.', calendarRow),
  audit: new Rows('audit', 'Nothing is recorded yet.', auditRow),
};

function show({ now, panels: changed }: Change): void {
  setClock(now);
  if (changed.gateway) showGateway(changed.gateway.rows);
  if (changed.alarms) panels.alarms.update(changed.alarms.order, changed.alarms.rows);
  if (changed.calls) panels.calls.update(changed.calls.order, changed.calls.rows);
  if (changed.partners) panels.partners.update(changed.partners.order, changed.partners.rows);
  if (changed.calendar) panels.calendar.update(changed.calendar.order, changed.calendar.rows);
  if (changed.audit) panels.audit.update(changed.audit.order, changed.audit.rows);
}

function showGateway(rows: readonly GatewayRow[]): void {
  const [row] = rows;
  if (row !== undefined) byId('gateway').replaceChildren(...gatewayFacts(row));
}

function showLink(className: 'live' | 'lost', text: string): void {
  const link = byId('link');
  link.className = `link ${className}`;
  if (link.textContent !== text) link.textContent = text;
}

let stop = (): void => undefined;

function follow(): void {
  const events = new EventSource('/events');
  stop = () => events.close();
  events.onopen = () => showLink('live', 'Live');
  events.onmessage = ({ data }) => show(JSON.parse(data) as Change);
  events.addEventListener('ended', () => {
    events.close();
    location.assign('/login');
  });
  events.onerror = () => {
    showLink('lost', 'The gateway does not answer; what is shown is old');
    if (events.readyState !== CLOSED) return;
    // Refused: the session may be over, or too many pages are open.
    setTimeout(() => void recover(), TRY_AGAIN_MS);
  };
}

async function recover(): Promise<void> {
  if (await isLoggedIn()) follow();
  else location.assign('/login');
}

/** Also tells the gateway that somebody is here. */
async function isLoggedIn(): Promise<boolean> {
  try {
    return (await fetch('/alive')).status !== 401;
  } catch {
    return true;
  }
}

let toldAt = Date.now();

function somebodyIsHere(): void {
  if (Date.now() - toldAt < ALIVE_MS) return;
  toldAt = Date.now();
  void isLoggedIn();
}

function redraw(): void {
  drawAxis();
  panels.calendar.redraw();
}

drawAxis();
watchSpans(redraw);
for (const type of ['keydown', 'pointerdown']) page.addEventListener(type, somebodyIsHere);
// The end of the stream would cut off the log-out on its way.
page.addEventListener('submit', () => stop());
setInterval(tick, 1000);
setInterval(redraw, REDRAW_MS);
follow();
