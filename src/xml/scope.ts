/**
 * Namespaces in scope of an element, as a chain of what each ancestor declares: an element costs what
 * it declares itself, however much is in scope of it.
 */

export const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';

/** What one element declares; the default namespace stands under ''. */
export type NamespaceDeclarations = ReadonlyMap<string, string>;

export class NamespaceScope {
  /** Outside the root: `xml` alone. */
  static readonly outermost = new NamespaceScope(new Map([['xml', XML_NAMESPACE]]), undefined, 1);

  /** what the innermost element that declares anything declares */
  readonly declared: NamespaceDeclarations;
  readonly outer: NamespaceScope | undefined;
  /** different prefixes declared here and outside, the default one counted among them */
  readonly size: number;

  private constructor(
    declared: NamespaceDeclarations,
    outer: NamespaceScope | undefined,
    size: number,
  ) {
    this.declared = declared;
    this.outer = outer;
    this.size = size;
  }

  /** The scope inside an element with these declarations. */
  inside(declared: NamespaceDeclarations): NamespaceScope {
    if (declared.size === 0) return this;
    let { size } = this;
    for (const prefix of declared.keys()) if (this.#find(prefix) === undefined) size += 1;
    return new NamespaceScope(declared, this, size);
  }

  /** Namespace name of a prefix; of '' that of the default namespace, empty where there is none. */
  get(prefix: string): string | undefined {
    return this.#find(prefix) ?? (prefix === '' ? '' : undefined);
  }

  /** Every prefix in scope with its namespace; '' only where there is a default namespace. */
  bindings(): [string, string][] {
    const outside = this.outer?.bindings() ?? [];
    return [...new Map([...outside, ...this.declared])].filter(([, name]) => name !== '');
  }

  #find(prefix: string): string | undefined {
    const name = this.declared.get(prefix);
    return name === undefined && this.outer !== undefined ? this.outer.#find(prefix) : name;
  }
}
