/** How every command speaks: text for people, one JSON object with `--json`. */
import type { SegyError } from '../base/errors.js';

/** Prints `value` as JSON when asked for, else the lines that `text` gives. */
export function print(json: boolean, value: unknown, text: () => readonly string[]): void {
  console.log(json ? JSON.stringify(value) : text().join('\n'));
}

/** A refusal as the one JSON object that a command with `--json` prints. */
export function printRefusal(refusal: SegyError): void {
  console.log(JSON.stringify({ ok: false, code: refusal.code, message: refusal.message }));
}
