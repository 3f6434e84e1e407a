import { readMarkdown } from './markdown.js';
import type { MessageElement, MessageNode, MessageTag } from './markdown.js';

/**
 * A message's Markdown as nodes of the page. They are made one by one of what the Markdown means, so that no text of
 * an alert is ever parsed as HTML, and nothing in it can run or load.
 */
export function renderMessage(message: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  fragment.append(...readMarkdown(message).map(toNode));
  return fragment;
}

/** Each of these is written in the direction of its own text; a list or a table as a whole. */
const OWN_DIRECTION = new Set<MessageTag>(['p', 'ul', 'ol', 'th', 'td', 'pre', 'blockquote', 'a', 'code']);

/** A table, which scrolls where it is too wide rather than break its words. */
function toScrolled(node: MessageElement): Node {
  const table = document.createElement('table');
  table.append(...node.children.map(toNode));
  const scrolled = document.createElement('div');
  scrolled.className = 'scrolled';
  // Whoever uses the keyboard alone can scroll it as well.
  scrolled.tabIndex = 0;
  scrolled.dir = 'auto';
  scrolled.append(table);
  return scrolled;
}

function toNode(node: MessageNode): Node {
  if (typeof node === 'string') return document.createTextNode(node);
  if (node.tag === 'table') return toScrolled(node);
  const element = document.createElement(node.tag);
  if (OWN_DIRECTION.has(node.tag)) element.dir = 'auto';
  if (element instanceof HTMLAnchorElement && node.href !== undefined) {
    element.href = node.href;
    element.target = '_blank';
    element.rel = 'noopener noreferrer';
    // What the panel has to say of its links.
    element.setAttribute('aria-describedby', 'new-tab');
  }
  if (element instanceof HTMLOListElement && node.start !== undefined) element.start = node.start;
  element.append(...node.children.map(toNode));
  return element;
}
