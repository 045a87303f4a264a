/**
 * The little of the browser that the page's script uses, typed here so that the types of a whole browser
 * do not hang over the rest of the program; and how elements are made. Data gets into the page as text
 * and as class names of closed lists, never as HTML: there is no other way in this file.
 */
export interface PageElement {
  textContent: string | null;
  className: string;
  hidden: boolean;
  value: string;
  readonly dataset: Record<string, string | undefined>;
  readonly style: { setProperty(name: string, value: string): void };
  readonly children: ArrayLike<PageElement>;
  append(...nodes: (PageElement | string)[]): void;
  replaceChildren(...nodes: (PageElement | string)[]): void;
  insertBefore(node: PageElement, before: PageElement | null): void;
  replaceWith(node: PageElement): void;
  remove(): void;
  setAttribute(name: string, value: string): void;
  addEventListener(type: string, listener: () => void): void;
}

interface PageDocument {
  getElementById(id: string): PageElement | null;
  createElement(name: string): PageElement;
  querySelectorAll(selector: string): ArrayLike<PageElement>;
  addEventListener(type: string, listener: () => void): void;
}

declare const document: PageDocument;

export const page = document;

/** An element that the page's own HTML has. */
export function byId(id: string): PageElement {
  const found = page.getElementById(id);
  if (found === null) throw new Error(`the page has no ${id}`);
  return found;
}

export function all(selector: string): PageElement[] {
  return Array.from(page.querySelectorAll(selector));
}

/** @param inside text or other elements */
export function make(
  name: string,
  className: string,
  ...inside: (PageElement | string)[]
): PageElement {
  const element = page.createElement(name);
  if (className !== '') element.className = className;
  element.append(...inside);
  return element;
}
