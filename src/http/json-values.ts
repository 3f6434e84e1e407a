const [QUOTE, COMMA, BRACKET, BRACE, BACKSLASH] = Buffer.from('",[{\\');

/** How many values a JSON text has, about, told while it comes: each comma and each opening bracket outside of strings. */
export class JsonValues {
  private isInString = false;
  private isEscaped = false;
  count = 0;

  add(chunk: Buffer): void {
    let { isInString, isEscaped, count } = this;
    for (const byte of chunk) {
      if (!isInString) {
        if (byte === QUOTE) isInString = true;
        else if (byte === COMMA || byte === BRACKET || byte === BRACE) count += 1;
      } else if (isEscaped) isEscaped = false;
      else if (byte === BACKSLASH) isEscaped = true;
      else if (byte === QUOTE) isInString = false;
    }
    Object.assign(this, { isInString, isEscaped, count });
  }
}
