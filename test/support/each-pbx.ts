/** Suites that are written once and run on each PBX that is there. */
import type { Context, Suite } from 'mocha';
import { findFreeSwitch, FreeSwitch } from './freeswitch.js';
import type { PbxInstance, PbxKind } from './pbx-instance.js';
import { skipBecause } from './skip.js';

/** `describe`, but one skipped test with the reason where there is no FreeSWITCH. */
export function describeOnFreeSwitch(title: string, body: (this: Suite) => void): void {
  const found = findFreeSwitch();
  if (!('missing' in found)) {
    describe(title, body);
    return;
  }
  describe(title, () => {
    it('is tested', function () {
      skipBecause(this, found.missing);
    });
  });
}

/** Two suites, `<title> Asterisk` and `<title> FreeSWITCH`. */
export function describeOnEachPbx(title: string, body: (this: Suite, kind: PbxKind) => void): void {
  describe(`${title} Asterisk`, function () {
    body.call(this, 'asterisk');
  });
  describeOnFreeSwitch(`${title} FreeSWITCH`, function () {
    body.call(this, 'freeswitch');
  });
}

/** Skips a test that changes the dialplan or kills the PBX where the PBX is not the tests' own. */
export function needsOwnPbx(context: Context, { isOwn }: Pick<PbxInstance, 'isOwn'>): void {
  if (!isOwn) skipBecause(context, 'needs a PBX that the tests configure, start and kill');
}

/** Skips a test that needs what this FreeSWITCH was built without. */
export async function needsModule(context: Context, pbx: PbxInstance, name: string): Promise<void> {
  if (!(pbx instanceof FreeSwitch) || (await pbx.hasModule(name))) return;
  skipBecause(context, `this FreeSWITCH has no ${name}`);
}

/** An extension of FreeSWITCH's dialplan that runs `actions` for calls to `user`. */
export function extension(
  user: string,
  ...actions: readonly (readonly [application: string, data: string])[]
): string {
  const lines = actions.map(([name, data]) => `<action application="${name}" data="${data}"/>`);
  const condition = `<condition field="destination_number" expression="^${user}$">`;
  return `<extension name="test-${user}">${condition}${lines.join('')}</condition></extension>`;
}
