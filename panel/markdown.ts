import { Lexer, Tokenizer } from 'marked';
import type { MarkedToken, Token } from 'marked';
import { safeAddress } from './links.js';

/** A piece of a message: text, or one of the few elements that a message may have. */
export type MessageNode = string | MessageElement;

export interface MessageElement {
  tag: MessageTag;
  children: MessageNode[];
  /** Of a link: where it leads, which is safe. */
  href?: string;
  /** Of a numbered list that does not begin with 1. */
  start?: number;
}

export type MessageTag =
  | ('p' | 'br' | 'hr' | 'strong' | 'em' | 'del' | 'a' | 'code' | 'pre' | 'blockquote')
  | ('ul' | 'ol' | 'li' | 'table' | 'tr' | 'th' | 'td');

/** Asterisks and underscores of a paragraph: finding out which of very many belong together takes for ever. */
const MOST_DELIMITERS = 400;

class TextTokenizer extends Tokenizer {
  /** The last text that was asked about, and whether it has too many delimiters. */
  private counted: { text: string; tooMany: boolean } | undefined;

  /** Alerts are text: `<no value>`, which Prometheus's templates write, is not a tag. */
  override html = (): undefined => undefined;
  override tag = (): undefined => undefined;

  /** What cannot be an address is not asked further: one of mail could begin anywhere in a long word, and end nowhere. */
  override url(text: string): ReturnType<Tokenizer['url']> {
    return /^([\w.+-]{1,64}@|https?:|ftp:|www\.)/i.test(text) ? super.url(text) : undefined;
  }

  /** For the same reason it looks no further than that. */
  override inlineText(text: string): ReturnType<Tokenizer['inlineText']> {
    return super.inlineText(/^[^]{0,500}\s|^[^]{0,500}/.exec(text)?.[0] ?? text);
  }

  override emStrong(...asked: Parameters<Tokenizer['emStrong']>): ReturnType<Tokenizer['emStrong']> {
    const [, text] = asked;
    if (this.counted?.text !== text) {
      this.counted = { text, tooMany: (text.match(/[*_]/g)?.length ?? 0) > MOST_DELIMITERS };
    }
    return this.counted.tooMany ? undefined : super.emStrong(...asked);
  }
}

/**
 * Reads a message's Markdown. What comes out has only such elements and addresses as cannot do harm: HTML in it stays
 * text, pictures become their description, headings become strong text.
 */
export function readMarkdown(message: string): MessageNode[] {
  const text = message.trim();
  try {
    return read(Lexer.lex(text, { gfm: true, breaks: true, tokenizer: new TextTokenizer() }));
  } catch (error) {
    // Nested too deeply to be meant.
    if (error instanceof RangeError) return plain(text);
    throw error;
  }
}

function plain(text: string): MessageNode[] {
  return text.split(/\n{2,}/).map((paragraph) => element('p', [paragraph]));
}

function read(tokens: Token[] | undefined): MessageNode[] {
  return (tokens ?? []).flatMap((token) => readToken(token as MarkedToken));
}

function readToken(token: MarkedToken): MessageNode | MessageNode[] {
  switch (token.type) {
    case 'paragraph':
      return element('p', read(token.tokens));
    case 'heading':
      return element('p', [element('strong', read(token.tokens))]);
    case 'strong':
    case 'em':
    case 'del':
    case 'blockquote':
      return element(token.type, read(token.tokens));
    case 'br':
    case 'hr':
      return element(token.type, []);
    case 'codespan':
      return element('code', [token.text]);
    case 'code':
      return element('pre', [element('code', [token.text])]);
    case 'link': {
      const href = safeAddress(decodeEntities(token.href));
      const children = read(token.tokens);
      return href === undefined ? children : { ...element('a', children), href };
    }
    case 'list': {
      const items = token.items.map((item) => element('li', read(item.tokens)));
      const list = element(token.ordered ? 'ol' : 'ul', items);
      return token.ordered && token.start !== 1 ? { ...list, start: Number(token.start) } : list;
    }
    case 'checkbox':
      return token.checked ? '☑ ' : '☐ ';
    case 'table':
      return element(
        'table',
        [token.header, ...token.rows].map((row) =>
          element(
            'tr',
            row.map((cell) => element(cell.header ? 'th' : 'td', read(cell.tokens))),
          ),
        ),
      );
    case 'text':
      return token.tokens ? read(token.tokens) : decodeEntities(token.text);
    case 'image':
    case 'escape':
    case 'html':
      return token.text;
    default:
      return [];
  }
}

function element(tag: MessageTag, children: MessageNode[]): MessageElement {
  return { tag, children };
}

const ENTITIES: Partial<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00A0',
};

/** Decodes what somebody may have encoded on the way here; other entities are rare enough to be read as they are. */
function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|(\w+));/g, (entity, code: string | undefined, name: string) => {
    if (code === undefined) return ENTITIES[name] ?? entity;
    return Number(code) > 0 && Number(code) <= 0x10ffff ? String.fromCodePoint(Number(code)) : entity;
  });
}
