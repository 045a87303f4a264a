/** How every command speaks: text for people, one JSON object with `--json`. */

/** Prints `value` as JSON when asked for, else the lines that `text` gives. */
export function print(json: boolean, value: unknown, text: () => readonly string[]): void {
  console.log(json ? JSON.stringify(value) : text().join('\n'));
}
