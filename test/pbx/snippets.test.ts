import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseXml } from '../../src/xml/index.js';
import { PROJECT_ROOT } from '../support/asterisk.js';

const FREESWITCH = join(PROJECT_ROOT, 'dialplan/freeswitch');
const read = (name: string): string => readFileSync(join(FREESWITCH, name), 'utf8');

describe('the files for FreeSWITCH', () => {
  for (const name of readdirSync(FREESWITCH)) {
    it(`${name} is well-formed`, () => {
      // Comments are for operators; the strict reader takes none.
      parseXml(
        read(name)
          .replace(/<!--[^]*?-->/g, '')
          .trim(),
      );
    });
  }

  it('take a user part into bridge, transfer or a variable only from the safe set', () => {
    const text = read('segy.xml') + read('segy_routes.xml');
    const patterns = [...text.matchAll(/field="destination_number" expression="([^"]*)"/g)];
    assert.ok(patterns.length >= 4);
    for (const [, pattern = ''] of patterns) {
      const user = new RegExp(pattern);
      for (const good of ['radio7', '+4912', 'a.b_c-d']) assert.match(good, user);
      for (const bad of ['1&x', 'a,b', 'a|b', '${x}', 'a b', "a'b", 'x\ny', '.a', '']) {
        assert.doesNotMatch(bad, user);
      }
    }
  });

  it('end a parked call that no gateway takes', () => {
    const text = read('segy.xml');
    assert.ok(text.indexOf('park_timeout=') < text.indexOf('application="park"'));
    assert.match(text, /park_timeout=/);
  });

  it('make the channel known by the Call-ID, and bind to loopback', () => {
    const profile = read('segy_profile.xml');
    assert.match(profile, /name="outbound-use-uuid-as-callid" value="true"/);
    assert.match(profile, /name="sip-ip" value="127\./);
    assert.match(profile, /name="rtp-ip" value="127\./);
    assert.match(read('segy_event_socket.xml'), /name="listen-ip" value="127\./);
  });
});
