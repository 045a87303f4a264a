/** The console's page, in a browser, when what it shows is hostile or too much. */
import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import type { ExpiryView } from '../../src/admin/index.js';
import type { CallView } from '../../src/edge/index.js';
import { ConsoleKit, FILE_TOKEN } from '../console/kit.js';
import type { Filling } from '../console/kit.js';
import { isBrowserThere, keepScreenshot, openWindow, startBrowser } from '../support/browser.js';
import type { Window } from '../support/browser.js';
import { skipBecause } from '../support/skip.js';
import { until } from '../support/waiting.js';

const DAY_MS = 86_400_000;
/** What would run, load or change something, were it ever taken for HTML. */
const MARKUP = [
  '<img src=x onerror="window.hit=1">',
  '</td></tr></table><script>window.hit=1</script>',
  '"><svg onload=window.hit=1>',
  'javascript:window.hit=1',
  '<base href=http://attacker.example/>',
  '{{constructor.constructor("window.hit=1")()}}',
  '\u202Egnp.elpmaxe\u0000\n\ndata: {"now":0}',
];

function call(n: number, name: string): CallView {
  const view: Partial<CallView> = {
    session: String(n).padStart(32, '0'),
    partner: name,
    type: 'group',
    group: name,
    direction: n % 2 === 0 ? 'mc-to-lmr' : 'lmr-to-mc',
    state: 'confirmed',
    caller: name,
    called: name,
    startedAt: Date.now() - n * 1000,
    connectedAt: null,
    armed: true,
    clear: false,
    keyId: '0a000001',
    talker: name,
    channel: name,
    dialog: name,
    floor: name,
    legs: [],
  };
  return view as CallView;
}

function hostileFilling(): Filling {
  const now = Date.now();
  return {
    gateway: {
      version: MARKUP[0]!,
      edge: { calls: () => MARKUP.map((name, n) => call(n, name)) },
      media: {
        stats: () => Promise.reject(new Error('not asked')),
        sessionStats: () => Promise.reject(new Error('not asked')),
        totals: () => ({
          ...{ toInner: 1, toOuter: 1, dropped: 0, authFailures: 3, lost: 0, jitterMs: 1 },
          ...{ toInnerAt: Date.now(), toOuterAt: Date.now() },
        }),
      },
      pbx: () => ({ type: MARKUP[1]!, linked: false }),
      partners: () => MARKUP.map((partner) => ({ partner, state: 'up', ways: [] })),
      health: () => ({ audit: MARKUP[0]!, store: MARKUP[2]! }),
      expiries: () =>
        MARKUP.map((name): ExpiryView => ({
          ...{ kind: 'key', name, owner: name, state: name, groups: [name] },
          ...{ activation: now - DAY_MS, expiry: now + DAY_MS },
        })),
      alarms: () =>
        MARKUP.map((text) => ({
          ...{ name: 'clear-call', subject: text, severity: 'critical', text, since: now },
        })),
    },
    trust: () =>
      MARKUP.map((name) => ({
        ...{ kmsUri: name, partner: name, domains: [name], fingerprint: name, words: name },
        ...{ state: name, from: null, to: null, revokedAt: null },
      })),
    audit: () =>
      Promise.resolve(
        MARKUP.map((text, seq) => ({
          ...{ seq, at: text, action: text, keyType: text, keyId: text, initiator: text },
          ...{ partner: text, group: text, detail: text },
        })),
      ),
  };
}

describe("the console's page", function () {
  this.timeout(60_000);
  let browser: Browser;
  /** nothing where the start was skipped */
  let end = (): Promise<void> => Promise.resolve();

  before(async function () {
    if (!isBrowserThere()) skipBecause(this, 'chromium is not installed');
    browser = await startBrowser();
    end = () => browser.close();
  });
  after(() => end());

  async function withPage(
    filling: Filling,
    see: (window: Window, kit: ConsoleKit) => Promise<void>,
    width = 1280,
  ): Promise<void> {
    const kit = await ConsoleKit.open(filling);
    const window = await openWindow(browser, 'light', width);
    try {
      await window.page.goto(`http://${kit.host}/login`);
      await window.page.getByLabel('Token').fill(FILE_TOKEN);
      await window.page.keyboard.press('Enter');
      await window.page.getByText('Live', { exact: true }).waitFor();
      await see(window, kit);
    } finally {
      await window.context.close();
      await kit.server.close();
    }
  }

  for (const width of [1280, 400]) {
    it(`shows markup in every name as text, ${width} pixels wide`, async () => {
      await withPage(
        hostileFilling(),
        async ({ page, complaints, requests }, kit) => {
          await page.getByText(MARKUP[0]!).first().waitFor();
          const found = await page.evaluate<unknown>(`({
            hit: window.hit ?? null,
            strange: document.querySelectorAll('img, svg, base, td script, iframe, object').length,
            scripts: document.scripts.length,
          })`);
          assert.deepEqual(found, { hit: null, strange: 0, scripts: 1 });
          const calls = page.locator('#calls-rows tr');
          assert.equal(await calls.count(), MARKUP.length);
          assert.ok(((await calls.nth(1).textContent()) ?? '').includes(MARKUP[1]!));
          const own = `http://${kit.host}/`;
          assert.deepEqual(
            requests.filter((url) => !url.startsWith(own)),
            [],
          );
          assert.deepEqual(complaints, []);
          const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
          assert.ok(wide <= width, `${wide} pixels wide`);
        },
        width,
      );
    });
  }

  it('lets the policy stop what a script would try with HTML, style or another host', async () => {
    await withPage({}, async ({ page, complaints }, kit) => {
      const tried = await page.evaluate<string[]>(`(async () => {
        const tried = [];
        const attempt = (name, run) => {
          try { run(); tried.push(name + ' ran'); } catch { tried.push(name + ' refused'); }
        };
        attempt('innerHTML', () => { document.body.innerHTML = '<b>x</b>'; });
        attempt('handler', () => {
          const button = document.createElement('button');
          button.setAttribute('onclick', 'window.hit = 1');
          button.click();
          if (window.hit !== 1) throw new Error('stopped');
        });
        const answer = await fetch('http://127.0.0.1:1/').then(() => 'ran', () => 'refused');
        const style = document.createElement('style');
        style.textContent = 'body { opacity: 0.5 }';
        document.head.append(style);
        return [...tried, 'fetch ' + answer, 'style ' + getComputedStyle(document.body).opacity];
      })()`);
      assert.deepEqual(tried, ['innerHTML refused', 'handler refused', 'fetch refused', 'style 1']);
      assert.ok(complaints.some((text) => text.includes('Content Security Policy')));
      const frame = await openWindow(browser, 'light');
      await frame.page.goto(`http://${kit.host}/console.css`);
      const framed = await frame.page.evaluate<boolean>(`new Promise((resolve) => {
        const inside = document.createElement('iframe');
        inside.src = '/login';
        inside.onload = () => resolve(inside.contentDocument !== null);
        document.body.append(inside);
      })`);
      assert.equal(framed, false);
      await frame.context.close();
    });
  });

  it('follows a thousand calls, of which it shows two hundred, and takes out those that end', async () => {
    let calls = Array.from({ length: 1000 }, (_, n) => call(n, `sip:user${n}@mc-a.example`));
    await withPage({ gateway: { edge: { calls: () => calls } } }, async ({ page }) => {
      const rows = page.locator('#calls-rows tr');
      await until('they are shown', async () => (await rows.count()) === 200);
      assert.match((await page.locator('#gateway').textContent()) ?? '', /Calls1000/);
      calls = calls.filter((_, n) => n % 100 === 7);
      await until('the others are gone', async () => (await rows.count()) === 10);
      const first = (await rows.first().textContent()) ?? '';
      assert.ok(first.includes('sip:user7@mc-a.example'), first);
      calls = [call(0, 'sip:new@mc-a.example'), ...calls];
      await rows.first().getByText('sip:new@mc-a.example').first().waitFor();
      assert.equal(await rows.count(), 11);
    });
  });

  it('names who talks in a group call, and says when nobody does', async () => {
    let at: number | null = Date.now() + DAY_MS;
    const media = {
      stats: () => Promise.reject(new Error('not asked')),
      sessionStats: () => Promise.reject(new Error('not asked')),
      totals: () => ({
        ...{ toInner: 1, toOuter: 0, dropped: 0, authFailures: 0, lost: 0, jitterMs: 1 },
        ...{ toInnerAt: at, toOuterAt: null },
      }),
    };
    const edge = { calls: () => [call(0, 'sip:alice@mc-a.example')] };
    await withPage({ gateway: { edge, media } }, async ({ page }) => {
      await page.getByText('MC sip:alice@mc-a.example', { exact: true }).waitFor();
      await keepScreenshot(page, 'console-group-1280-light');
      at = null;
      await page.getByText('nobody', { exact: true }).waitFor();
    });
  });
});
