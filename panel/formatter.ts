/** A format in a language. Pages name languages that are none ("en_US"); theirs is then the browser's. */
export function formatter<Options, Format>(
  Format: new (language: string | undefined, options: Options) => Format,
  language: string | undefined,
  options: Options,
): Format {
  try {
    return new Format(language, options);
  } catch (error) {
    if (error instanceof RangeError && language !== undefined) return new Format(undefined, options);
    throw error;
  }
}
