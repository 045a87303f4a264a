/** The console of a running gateway, in a browser, by somebody with a keyboard. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { systemRandom } from '../../src/base/environment.js';
import type { NewKeyParameters } from '../../src/mikey/index.js';
import { isBrowserThere, keepScreenshot, openWindow, startBrowser } from '../support/browser.js';
import type { Scheme, Window } from '../support/browser.js';
import { nextCall } from '../support/call-pair.js';
import { runSegyBeside } from '../support/cli.js';
import { FakePbx } from '../support/fake-pbx.js';
import type { TestGmk } from '../support/group-side.js';
import { groupSystemOf, newGmk } from '../support/group-system.js';
import { freePort } from '../support/ports.js';
import { ALICE, RADIO_1, Scene } from '../support/scene.js';
import { skipBecause } from '../support/skip.js';
import { until, within } from '../support/waiting.js';

const GROUP = 'sip:police@mc-a.example';
const GMS = 'sip:gms@mc-a.example';
const DAY_MS = 86_400_000;

describe('the console of a running gateway', function () {
  this.timeout(90_000);
  let pbx: FakePbx;
  let scene: Scene;
  let browser: Browser;
  let port: number;
  let at: string;
  let folder: string;
  /** what ends what was started, also where the start was skipped */
  const ends: (() => Promise<void> | void)[] = [];
  const fileToken = Buffer.from(systemRandom(32)).toString('base64url');

  before(async function () {
    if (!isBrowserThere()) skipBecause(this, 'chromium is not installed');
    folder = mkdtempSync(join(tmpdir(), 'segy-console-'));
    ends.push(() => rmSync(folder, { recursive: true }));
    const tokenFile = join(folder, 'console.token');
    writeFileSync(tokenFile, `${fileToken}\n`);
    chmodSync(tokenFile, 0o600);
    port = await freePort();
    at = `http://127.0.0.1:${port}`;
    pbx = await FakePbx.start();
    scene = await Scene.start({
      pbx,
      allowClear: true,
      partner: {
        media: { policy: 'allow-clear' },
        gms: [GMS],
        groups: [{ id: GROUP, pbx: 'police', speaker: RADIO_1.uri }],
      },
      config: { console: { listen: { port }, tokenFile } },
    });
    ends.push(() => scene.stop());
    browser = await startBrowser();
    ends.push(() => browser.close());
  });
  after(async () => {
    for (const end of ends.reverse()) await end();
  });
  afterEach(async () => {
    if (ends.length === 0) return;
    for (const call of [...scene.mc.agent.calls, ...scene.radio.agent.calls]) call.bye();
    await pbx.hangUpAll();
  });

  const run = (...args: readonly string[]) =>
    runSegyBeside([...args, '--state', join(scene.folder, 'state')]);

  /** Types the token into the form that has the focus. */
  async function logIn({ page }: Window, token = fileToken): Promise<void> {
    await page.goto(`${at}/`);
    await page.locator('#token:focus').waitFor();
    await page.keyboard.type(token);
    await page.keyboard.press('Enter');
    await page.getByText('Live', { exact: true }).waitFor();
  }

  async function withWindow(
    scheme: Scheme,
    width: number,
    see: (window: Window) => Promise<void>,
  ): Promise<void> {
    const window = await openWindow(browser, scheme, width);
    try {
      await see(window);
      assert.deepEqual(window.complaints, []);
      const foreign = window.requests.filter((url) => !url.startsWith(`${at}/`));
      assert.deepEqual(foreign, []);
    } finally {
      await window.context.close();
    }
  }

  async function connect(options: { misbehave?: { none: true } } = {}) {
    const taken = nextCall(scene.radio.agent, false);
    const mc = await scene.mc.call({ from: ALICE, to: RADIO_1.uri, ...options });
    const radio = await within('the INVITE arrives', taken);
    pbx.park(radio, () => void radio.answer());
    assert.equal(await within('the call is answered', mc.up), true);
    return mc;
  }

  /** A GMK as the partner's GMS sends it. */
  async function give(key: TestGmk, parameters: NewKeyParameters): Promise<void> {
    assert.equal(await groupSystemOf(scene, GMS, GROUP).give(key, parameters), 200);
  }

  const rowsOf = (page: Page, table: string) =>
    page
      .getByRole('table', { name: table })
      .getByRole('row')
      .filter({ has: page.getByRole('cell') });

  it('lets in by a one-time token of the command socket, once', async () => {
    const { stdout, status } = await run('console', 'token', '--json');
    assert.equal(status, 0, stdout);
    const { token, address } = JSON.parse(stdout) as { token: string; address: string };
    assert.equal(address, `${at}/`);
    await withWindow('light', 1280, async (window) => {
      await logIn(window, token);
      await window.page.getByRole('button', { name: 'Log out' }).press('Enter');
      await window.page.waitForURL(`${at}/login`);
      await window.page.keyboard.type(token);
      await window.page.keyboard.press('Enter');
      await window.page.getByRole('alert').waitFor();
      assert.match((await window.page.getByRole('alert').textContent()) ?? '', /wrong, used/);
      // The answer 401 is what the browser complains of, and nothing else.
      assert.match(window.complaints.splice(0).join('\n'), /^[^\n]*status of 401[^\n]*$/);
    });
    await until('it is logged', () => /security\.refused .*side=console/.test(scene.gateway.log()));
  });

  it('shows a call come, who talks, and the call go, by itself', async () => {
    await withWindow('light', 1280, async (window) => {
      const { page } = window;
      await logIn(window);
      await page.getByText('No call is up.').waitFor();
      const mc = await connect();
      const row = rowsOf(page, 'Calls').first();
      await row.getByText(ALICE).waitFor();
      await row.getByText('protected').waitFor();
      await row.getByText('MC', { exact: true }).first().waitFor();
      await row.locator('.talks', { hasText: 'radio' }).waitFor();
      await keepScreenshot(page, 'console-call-1280-light');
      mc.bye();
      await page.getByText('No call is up.').waitFor();
    });
  });

  it('shows what stands: an alarm of a call in clear, partners by fingerprint, keys, audit', async () => {
    const now = Date.now();
    await give(newGmk(1), { activation: new Date(now), expiry: new Date(now + 30 * DAY_MS) });
    await give(newGmk(2), {
      activation: new Date(now + 25 * DAY_MS),
      expiry: new Date(now + 55 * DAY_MS),
    });
    await withWindow('dark', 1280, async (window) => {
      const { page } = window;
      await logIn(window);
      const key = rowsOf(page, 'Key calendar').filter({ hasText: '0a000001' });
      await key.getByText('active').waitFor();
      await key.getByText(`group key of ${GROUP}`).waitFor();
      await rowsOf(page, 'Key calendar')
        .filter({ hasText: '0a000002' })
        .getByText('pending')
        .waitFor();
      const shown = await run('kms', 'trust', 'show', 'kms.mc-a.example', '--json');
      const { fingerprint } = JSON.parse(shown.stdout) as {
        fingerprint: { words: string; hex: string };
      };
      const partner = rowsOf(page, 'Partners').filter({ hasText: 'mc-a' });
      await partner.getByText(fingerprint.words).waitFor();
      const text = (await partner.textContent()) ?? '';
      assert.ok(text.replaceAll(' ', '').includes(fingerprint.hex));
      await rowsOf(page, 'Audit')
        .filter({ hasText: '0a000002' })
        .first()
        .getByText('received')
        .waitFor();
      await connect({ misbehave: { none: true } });
      await page.getByRole('listitem').filter({ hasText: 'clear-call' }).waitFor();
      await rowsOf(page, 'Calls').first().getByText('clear', { exact: true }).waitFor();
      await keepScreenshot(page, 'console-1280-dark');
    });
  });

  it('shows a revoked key while the page is open', async () => {
    await withWindow('light', 1280, async (window) => {
      const { page } = window;
      await logIn(window);
      const key = rowsOf(page, 'Key calendar').filter({ hasText: '0a000001' });
      await key.getByText('active').waitFor();
      const { status, stdout } = await run('keys', 'revoke', '0a000001', '--partner', 'mc-a');
      assert.equal(status, 0, stdout);
      await key.locator('.badge', { hasText: 'revoked' }).waitFor();
      await rowsOf(page, 'Audit').filter({ hasText: '0a000001' }).getByText('revoked').waitFor();
      await keepScreenshot(page, 'console-1280-light');
    });
  });

  for (const scheme of ['light', 'dark'] as const) {
    it(`fits a screen of 400 pixels in ${scheme}, and its tables stay tables`, async () => {
      await withWindow(scheme, 400, async (window) => {
        const { page } = window;
        await page.goto(`${at}/login`);
        await keepScreenshot(page, `console-login-400-${scheme}`);
        await logIn(window);
        await connect();
        await rowsOf(page, 'Calls').first().getByText(ALICE).waitFor();
        for (const table of ['Calls', 'Partners', 'Key calendar', 'Audit']) {
          assert.ok((await rowsOf(page, table).count()) > 0, table);
        }
        const width = await page.evaluate<number>('document.documentElement.scrollWidth');
        assert.ok(width <= 400, `${width} pixels wide`);
        await keepScreenshot(page, `console-400-${scheme}`);
      });
    });
  }

  it('is used by keyboard alone, with the focus in sight', async () => {
    await withWindow('light', 1280, async (window) => {
      const { page } = window;
      await logIn(window);
      await page.getByText('kms.lmr.example').first().waitFor();
      const focused = (): Promise<string> =>
        page.evaluate<string>(
          '(document.activeElement.textContent || document.activeElement.value).trim()',
        );
      const outline = (): Promise<string> =>
        page.evaluate<string>('getComputedStyle(document.activeElement).outlineStyle');
      await page.keyboard.press('Tab');
      assert.equal(await focused(), 'Skip to the panels');
      const way: string[] = [];
      for (let step = 0; step < 7; step++) {
        await page.keyboard.press('Tab');
        assert.equal(await outline(), 'solid', await focused());
        way.push(await focused());
      }
      assert.deepEqual(way.slice(0, 6), [
        'Alarms',
        'Calls',
        'Partners',
        'Keys',
        'Audit',
        'Log out',
      ]);
      // The next stop are the spans of the time line: one stop, arrows within.
      assert.equal(way[6], '90');
      const before = await page.locator('#axis').textContent();
      await page.keyboard.press('ArrowRight');
      assert.equal(await focused(), '730');
      assert.notEqual(await page.locator('#axis').textContent(), before);
      await page.keyboard.press('Shift+Tab');
      await page.keyboard.press('Enter');
      await page.waitForURL(`${at}/login`);
    });
  });

  it('goes to the log-in when the operator logs everybody out', async () => {
    await withWindow('light', 1280, async (window) => {
      await logIn(window);
      assert.match((await run('console', 'logout')).stdout, /[1-9]\d* sessions ended/);
      await window.page.waitForURL(`${at}/login`);
    });
  });

  it('says when the gateway is gone, and asks for a log-in when it is back', async () => {
    const window = await openWindow(browser, 'light');
    try {
      await logIn(window);
      await scene.gateway.kill();
      await window.page.getByText('does not answer').waitFor();
      await scene.gateway.start();
      await window.page.waitForURL(`${at}/login`, { timeout: 40_000 });
    } finally {
      await window.context.close();
    }
  });

  it('names no key octet in anything that it sent', async () => {
    const { stdout } = await run('console', 'token', '--json');
    const { token } = JSON.parse(stdout) as { token: string };
    const key = newGmk(3);
    await give(key, { activation: new Date(), expiry: new Date(Date.now() + DAY_MS) });
    const answer = await fetch(`${at}/login`, {
      method: 'POST',
      redirect: 'manual',
      headers: { Origin: at },
      body: new URLSearchParams({ token }),
    });
    const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? '';
    const stream = await fetch(`${at}/events`, { headers: { cookie } });
    let text = '';
    const decoder = new TextDecoder();
    const reader = stream.body!.getReader();
    await until('the key is named', async () => {
      const { value } = (await reader.read()) as { value?: Uint8Array };
      text += decoder.decode(value);
      return text.includes('0a000003') && text.includes('\n\n');
    });
    await reader.cancel();
    for (const secret of [key.octets, key.rand]) {
      const octets = Buffer.from(secret);
      for (const form of [octets.toString('hex'), octets.toString('base64')]) {
        assert.ok(!text.toLowerCase().includes(form.toLowerCase()));
      }
    }
  });
});
