/** What a page marks as in front of all else. */
const MODALS = ':modal, [aria-modal="true"]';

/**
 * What the page has open in front of an element, which nothing may open above by itself: a modal dialog, or a popover
 * with the focus in it. One that holds the element is none.
 *
 * @param last what it was when this was last asked, which spares a search through the whole page
 */
export function modalOver(element: Element, last?: Element): Element | undefined {
  if (last && isModal(last)) return last;
  const holders = new Set(holdersOf(element));
  const focused = deepFocus();
  const popover = focused && holdersOf(focused).find((holder) => holder.matches('[popover]:popover-open'));
  if (popover && !holders.has(popover)) return popover;
  return [...allElements(document)].find((candidate) => isModal(candidate) && !holders.has(candidate));
}

function isModal(element: Element): boolean {
  return element.matches(MODALS) && element.checkVisibility();
}

/** What has the focus, in whichever shadow tree; undefined where nothing has. */
export function deepFocus(): Element | undefined {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return element && element !== document.body && element !== document.documentElement ? element : undefined;
}

/** An element and all that holds it as the page is shown, across shadow trees. */
function holdersOf(element: Element): Element[] {
  const holders: Element[] = [];
  for (let node: Node | null = element; node;) {
    if (node instanceof Element) holders.push(node);
    const slot: HTMLSlotElement | null = node instanceof Element ? node.assignedSlot : null;
    node = slot ?? node.parentNode ?? (node instanceof ShadowRoot ? node.host : null);
  }
  return holders;
}

/** All elements of a tree and of the open shadow trees in it. */
function* allElements(root: Document | ShadowRoot): Generator<Element> {
  for (const element of root.querySelectorAll('*')) {
    yield element;
    if (element.shadowRoot) yield* allElements(element.shadowRoot);
  }
}
