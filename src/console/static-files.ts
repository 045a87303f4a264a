/** The fixed answers: the page, its style and its own script, read once. There is no path to a file. */
import { readFileSync } from 'node:fs';
import { CONSOLE_PAGE, ICON } from './page.js';
import { STYLE } from './style.js';

export interface StaticFile {
  readonly type: string;
  readonly text: string;
  /** only for who is logged in */
  readonly closed: boolean;
}

/** The modules of the page's own script, in src/console/browser. */
const MODULES = ['main', 'calendar', 'cells', 'dom', 'panels', 'times'] as const;

const HTML = 'text/html; charset=utf-8';

/** By path. */
export function staticFiles(): ReadonlyMap<string, StaticFile> {
  return new Map<string, StaticFile>([
    ['/', { type: HTML, text: CONSOLE_PAGE, closed: true }],
    ['/console.css', { type: 'text/css; charset=utf-8', text: STYLE, closed: false }],
    ['/icon.svg', { type: 'image/svg+xml', text: ICON, closed: false }],
    ...MODULES.map((name): [string, StaticFile] => [
      `/browser/${name}.js`,
      { type: 'text/javascript; charset=utf-8', text: moduleText(name), closed: true },
    ]),
  ]);
}

/** Without the reference to its source map, which is not served. */
function moduleText(name: (typeof MODULES)[number]): string {
  const text = readFileSync(new URL(`./browser/${name}.js`, import.meta.url), 'utf8');
  return text.replace(/^\/\/# sourceMappingURL=.*$/m, '');
}
