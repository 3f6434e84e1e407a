import { readMarkdown } from './markdown.js';
import type { MessageNode } from './markdown.js';

/**
 * A message's Markdown as nodes of the page. They are made one by one of what the Markdown means, so that no text of
 * an alert is ever parsed as HTML, and nothing in it can run or load.
 */
export function renderMessage(message: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  fragment.append(...readMarkdown(message).map(toNode));
  return fragment;
}

function toNode(node: MessageNode): Node {
  if (typeof node === 'string') return document.createTextNode(node);
  const element = document.createElement(node.tag);
  if (element instanceof HTMLAnchorElement && node.href !== undefined) {
    element.href = node.href;
    element.target = '_blank';
    element.rel = 'noopener noreferrer';
  }
  if (element instanceof HTMLOListElement && node.start !== undefined) element.start = node.start;
  element.append(...node.children.map(toNode));
  return element;
}
