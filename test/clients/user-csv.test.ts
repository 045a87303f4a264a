import assert from 'node:assert/strict';
import { parseUserCsv } from '../../src/clients/index.js';

const R1 = { uri: 'sip:r1@radio.example', pbx: '2001' };
const RANGE = { uri: 'sip:unit-*@radio.example', pbx: '3*' };
const FIRST = '2001,sip:r1@radio.example';

function refusalOf(file: Uint8Array | string): string {
  try {
    parseUserCsv(file);
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'SEGY_E_ARGUMENT');
    return error instanceof Error ? error.message : '';
  }
  return 'none';
}

describe('a CSV file of radio IDs', () => {
  it('names users and patterns, quoted or not, with or without a heading', () => {
    const lines = [FIRST, '', '# a remark', '  # another', '"3*" ; "sip:unit-*@radio.example"'];
    assert.deepEqual(parseUserCsv(lines.join('\r\n')), [R1, RANGE]);
    assert.deepEqual(parseUserCsv(['pbx,uri', ...lines].join('\n')), [R1, RANGE]);
    assert.deepEqual(parseUserCsv('URI,PBX\nsip:r1@radio.example,2001'), [R1]);
  });

  it('may come from a spreadsheet: byte order mark, tabs, line ends of any kind', () => {
    assert.deepEqual(parseUserCsv(Buffer.from(`\uFEFFpbx,uri\r\n${FIRST}\r\n`)), [R1]);
    assert.deepEqual(parseUserCsv(FIRST.replace(',', '\t')), [R1]);
    assert.deepEqual(parseUserCsv(`pbx,uri\r${FIRST}\r`), [R1]);
  });

  it('may have other columns, where its heading names them', () => {
    const lines = [
      'Name,"uri",Remark,"pbx"',
      '"Fire ""1"", north",sip:r1@radio.example,,2001',
      'Range,sip:unit-*@radio.example,"x",3*',
    ];
    assert.deepEqual(parseUserCsv(lines.join('\n')), [R1, RANGE]);
    assert.match(
      refusalOf([lines[0], 'Fire,sip:r1@radio.example'].join('\n')),
      /line 2: .*4 values/,
    );
  });

  it('is refused with the number of the line that is wrong', () => {
    for (const bad of [
      '2002',
      '2002,sip:a b@c',
      '2002,sip:x@y,z',
      '"2002,sip:x@y',
      '"20"2,sip:x@y',
    ]) {
      assert.match(refusalOf(`${FIRST}\n${bad}`), /^line 2: /, bad);
    }
    assert.match(refusalOf(`${FIRST}\n2002`), /two values/);
  });

  it('is refused where one identity stands with two others, and taken where a line stands twice', () => {
    assert.match(refusalOf(`${FIRST}\n2002,sip:r1@radio.example`), /line 2: .* line 1/);
    assert.match(refusalOf(`${FIRST}\n2001,sip:r2@radio.example`), /line 2: .* line 1/);
    assert.deepEqual(parseUserCsv(`${FIRST}\n${FIRST}`), [R1, R1]);
  });

  it('is refused where it is not UTF-8, rather than read with other letters', () => {
    assert.match(refusalOf(Buffer.from('2001,sip:r\xfc@radio.example', 'latin1')), /UTF-8/);
    assert.match(refusalOf(Buffer.from(`\uFEFF${FIRST}`, 'utf16le')), /UTF-8/);
  });
});
