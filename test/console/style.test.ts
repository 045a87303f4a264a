/** Whoever sees little can read the console: contrast of WCAG 2.1, level AA, in both schemes. */
import assert from 'node:assert/strict';
import { STYLE } from '../../src/console/style.js';

const TEXT = 4.5;
const GRAPHIC = 3;

/** Custom properties of the `:root` blocks: light, and dark laid over it. */
function schemes(): Record<'light' | 'dark', ReadonlyMap<string, string>> {
  const blocks = [...STYLE.matchAll(/:root \{([^}]*)\}/g)].map(
    ([, text = '']) =>
      new Map(
        [...text.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map(([, name = '', value = '']) => [
          name,
          value,
        ]),
      ),
  );
  const [light = new Map<string, string>(), dark = new Map<string, string>()] = blocks;
  return { light, dark: new Map([...light, ...dark]) };
}

function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5]
    .map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

describe('the style of the console', () => {
  for (const [scheme, colours] of Object.entries(schemes())) {
    const ratio = (one: string, other: string): number =>
      contrast(colours.get(one) ?? '', colours.get(other) ?? '');

    it(`has text of enough contrast in ${scheme}`, () => {
      const pairs = [
        ...['ink', 'quiet', 'accent', 'good', 'warn', 'bad'].map(
          (text) => [text, 'sheet'] as const,
        ),
        ...['ink', 'quiet'].map((text) => [text, 'ground'] as const),
        ...['ink', 'quiet'].flatMap((text) => [
          [text, 'warn-ground'] as const,
          [text, 'bad-ground'] as const,
        ]),
        ['bad', 'bad-ground'] as const,
        ['on-accent', 'accent'] as const,
      ];
      for (const [text, ground] of pairs) {
        assert.ok(ratio(text, ground) >= TEXT, `${text} on ${ground}: ${ratio(text, ground)}`);
      }
    });

    it(`has lines and bars of enough contrast in ${scheme}`, () => {
      for (const line of ['bar', 'bad', 'ink', 'quiet', 'accent']) {
        assert.ok(ratio(line, 'sheet') >= GRAPHIC, `${line}: ${ratio(line, 'sheet')}`);
      }
    });
  }

  it('moves nothing for whoever wants no motion', () => {
    const still = STYLE.replace(/@media \(prefers-reduced-motion: no-preference\) \{[^@]*/, '');
    assert.doesNotMatch(still, /animation|transition|scroll-behavior/);
  });
});
