import { currentTraceId } from './trace-context.js';

/** What a line of the log names, by the names that the fields have in JSON. */
export type LogFields = Readonly<Record<string, string | number | undefined>>;

/** A sentence, with what it names as fields. */
export interface LogLine {
  readonly message: string;
  readonly fields: LogFields;
}

let beingWritten: LogFields = {};

/**
 * Writes a line of the log of which a logger may ask for the fields, by `fieldsOfLine`. Any other logger of a host gets
 * nothing but the sentence: some would take an object beside it for one more line.
 * @param write calls the logger, once
 */
export function withFields(fields: LogFields, write: () => void): void {
  beingWritten = fields;
  try {
    write();
  } finally {
    beingWritten = {};
  }
}

/** The fields of the line that is being written, with the trace to which it belongs. */
export function fieldsOfLine(): LogFields {
  return { trace_id: currentTraceId(), ...beingWritten };
}
