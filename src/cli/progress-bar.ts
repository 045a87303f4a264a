/** One line that fills up, on a terminal; nothing where standard error is none. */

const WIDTH = 30;

export class ProgressBar {
  readonly #stream: NodeJS.WriteStream;
  readonly #label: string;
  #shown = false;

  constructor(label: string, stream: NodeJS.WriteStream = process.stderr) {
    this.#label = label;
    this.#stream = stream;
  }

  show(done: number, of: number, note = ''): void {
    if (!this.#stream.isTTY) return;
    const share = of === 0 ? 1 : Math.min(done / of, 1);
    const full = Math.round(share * WIDTH);
    const bar = '#'.repeat(full) + '.'.repeat(WIDTH - full);
    this.#stream.write(`\r${this.#label} [${bar}] ${done}/${of}${note}\x1b[K`);
    this.#shown = true;
  }

  end(): void {
    if (this.#shown) this.#stream.write('\n');
    this.#shown = false;
  }
}
