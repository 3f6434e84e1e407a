/** Embeddings, overrides and isolates, which reach beyond the text that they stand in. */
const BIDI_CONTROLS = /[\u202A-\u202E\u2066-\u2069]/g;
const CUT_MARK = '…';

/** People's text as one line of at most so many characters, which changes nothing of what stands around it. */
export function plainLine(text: string, longest: number): string {
  return cut(
    text
      .replace(BIDI_CONTROLS, '')
      .replace(/[\p{Cc}\p{Z}]+/gu, ' ')
      .trim(),
    longest,
  );
}

/** The same with its lines. */
export function plainText(text: string, longest: number): string {
  const lines = text.replace(BIDI_CONTROLS, '').replace(/\r\n?|[\u2028\u2029]/g, '\n');
  return cut(lines.replace(/[^\P{Cc}\n\t]+/gu, ' ').trim(), longest);
}

function cut(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const characters = Array.from(text.slice(0, 2 * (longest + 1)));
  if (characters.length <= longest) return text;
  return (
    characters
      .slice(0, longest - 1)
      .join('')
      .trimEnd() + CUT_MARK
  );
}

/** An address that a link may lead to; never a script, data or what is relative. */
export function linkable(address: string | null | undefined): string | undefined {
  if (address == null || !/^(https?:\/\/|mailto:)[^\s\p{C}]+$/iu.test(address)) return undefined;
  return URL.canParse(address) ? address : undefined;
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** HTML that is safe to be put into other HTML. */
export class Markup {
  constructor(readonly text: string) {}
}

/** HTML of ours; whatever is put in is text, unless it was made so itself. */
export function html(parts: TemplateStringsArray, ...values: (string | Markup | Markup[])[]): Markup {
  const inserted = values.map((value) =>
    typeof value === 'string'
      ? value.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
      : [value]
          .flat()
          .map(({ text }) => text)
          .join(''),
  );
  return new Markup(String.raw({ raw: parts }, ...inserted));
}

/** The lines of a text, which may stand in HTML. */
export function htmlLines(text: string): Markup[] {
  return text.split('\n').map((line, index) => (index === 0 ? html`${line}` : html`<br />${line}`));
}
