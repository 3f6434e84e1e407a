import { ConsoleLogger } from '@nestjs/common';
import { fieldsOfLine } from 'nestjs-session-alerts/operations';

/** Nest's logger, whose lines of JSON have as fields what their sentences name. */
export class ServerLogger extends ConsoleLogger {
  protected override getJsonLogObject(...line: Parameters<ConsoleLogger['getJsonLogObject']>) {
    return { ...super.getJsonLogObject(...line), ...fieldsOfLine() };
  }
}
