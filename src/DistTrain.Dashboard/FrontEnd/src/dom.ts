type Child = Node | string | number | null | undefined | false;
type Attributes = Record<string, string | number | boolean | ((event: Event) => void) | undefined>;

/** Makes an element. Children that are text stay text: nothing in this program turns a string into markup. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') {
      element.addEventListener(name, value);
    } else if (value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
  append(element, ...children);
  return element;
}

export function append(parent: Element, ...children: Child[]): void {
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false) {
      parent.append(child instanceof Node ? child : String(child));
    }
  }
}

/** Sets text only where it changed, so that a screen reader speaks and the page lays itself out only then. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/** A table that scrolls inside itself. Its caption is for screen readers alone where a heading says the same. */
export function table(head: string[], rows: (Child | Child[])[][], caption?: string, isHidden = false): HTMLElement {
  return h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption ?? head.join(', ') },
    h('table', {},
      caption && !isHidden ? h('caption', {}, caption) : null,
      h('thead', {}, h('tr', {}, ...head.map(text => h('th', { scope: 'col' }, text)))),
      h('tbody', {}, ...rows.map(row => h('tr', {}, ...row.map((cell, column) => {
        const element = column === 0 ? h('th', { scope: 'row' }) : h('td');
        append(element, ...(Array.isArray(cell) ? cell : [cell]));
        return element;
      }))))));
}

/** A figure with a name beside its value, which may change. */
export function tile(name: string): { element: HTMLElement; set(value: string): void } {
  const value = h('dd', {}, '–');
  return { element: h('div', { class: 'tile' }, h('dt', {}, name), value), set: text => setText(value, text) };
}
