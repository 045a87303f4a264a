/**
 * A second reader of I_MESSAGEs, written from RFC 3830, RFC 6043 and RFC 6509 alone, in another manner than
 * src/mikey: it walks a hexadecimal string and trusts nothing it has not counted. For the messages that
 * tshark cannot read, those with a GENERIC-ID map.
 */

export interface SecondReading {
  readonly version: number;
  readonly dataType: number;
  readonly v: number;
  readonly prf: number;
  readonly csbId: string;
  readonly sessions: readonly {
    readonly csId: number;
    readonly protocol: number;
    readonly roc: boolean;
    readonly policies: readonly number[];
    readonly data: string;
    readonly spi: string;
  }[];
  /** names in chain order */
  readonly chain: readonly string[];
  /** values by the name in the chain */
  readonly values: Readonly<Record<string, string>>;
  /** hexadecimal of everything before the signature value */
  readonly signed: string;
}

const ROLE: Readonly<Record<string, string>> = {
  '01': 'IDRi',
  '02': 'IDRr',
  '06': 'IDRkmsi',
  '07': 'IDRkmsr',
  '08': 'IDRuidi',
  '09': 'IDRuidr',
};

/** @throws Error at the first octet that is not as it must be */
export function readSecondly(octets: Uint8Array): SecondReading {
  const hex = Buffer.from(octets).toString('hex');
  let at = 0;
  const next = (count: number): string => {
    const text = hex.slice(2 * at, 2 * (at + count));
    if (text.length !== 2 * count) throw new Error(`octet ${at}: ${count} wanted`);
    at += count;
    return text;
  };
  const number = (count: number): number => parseInt(next(count), 16);
  const version = number(1);
  const dataType = number(1);
  let following = number(1);
  const flags = number(1);
  const csbId = next(4);
  const count = number(1);
  const mapType = number(1);
  if (mapType !== (count === 0 ? 1 : 2)) throw new Error(`map type ${mapType} of ${count}`);
  const sessions = [];
  for (let i = 0; i < count; i++) {
    const csId = number(1);
    const protocol = number(1);
    const bits = number(1);
    const policies = [];
    for (let p = 0; p < bits % 128; p++) policies.push(number(1));
    const data = next(number(2));
    sessions.push({ csId, protocol, roc: bits > 127, policies, data, spi: next(number(1)) });
  }
  const chain: string[] = [];
  const values: Record<string, string> = {};
  const note = (name: string, value: string): void => {
    chain.push(name);
    values[name] = value;
  };
  let signed = '';
  while (following !== 0) {
    const type = following;
    following = type === 4 ? 0 : number(1);
    if (type === 5) note('T', next(1) + next(8));
    else if (type === 11) note('RAND', next(number(1)));
    else if (type === 14) {
      const role = next(1);
      number(1);
      note(ROLE[role] ?? `IDR ${role}`, next(number(2)));
    } else if (type === 10) note('SP', next(2) + next(number(2)));
    else if (type === 26) note('SAKKE', next(2) + next(number(2)));
    else if (type === 21) note(`GE ${number(1)}`, next(number(2)));
    else if (type === 4) {
      const head = number(2);
      if (head >> 12 !== 2) throw new Error('not ECCSI');
      signed = hex.slice(0, 2 * at);
      note('SIGN', next(head % 4096));
    } else throw new Error(`payload type ${type}`);
  }
  if (2 * at !== hex.length) throw new Error(`octets behind ${at}`);
  return {
    version,
    dataType,
    v: flags >> 7,
    prf: flags & 127,
    csbId,
    sessions,
    chain,
    values,
    signed,
  };
}
