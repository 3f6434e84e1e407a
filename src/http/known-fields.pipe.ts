import { ValidationPipe } from '@nestjs/common';
import type { ArgumentMetadata, Type } from '@nestjs/common';
import { getMetadataStorage } from 'class-validator';
import { doesNotFit, unfit } from './unfit.js';

/**
 * What becomes of fields and parameters that no request class names: monitoring systems add some with every version,
 * a person's is a mistake.
 */
export type UnknownFields = 'refused' | 'ignored';

/** As much of an unknown name as an answer repeats. */
const LONGEST_SHOWN = 100;

/**
 * Checks a body or query against its class, of which it looks at the named fields only, and at no depth: none of
 * ours is nested, and class-transformer would walk through all that somebody sends.
 */
export class KnownFieldsPipe extends ValidationPipe {
  /** The names of those that the class names. */
  private readonly fields: readonly string[];

  constructor(
    private readonly part: 'body' | 'query',
    type: Type,
    private readonly unknownFields: UnknownFields,
  ) {
    super({
      transform: true,
      expectedType: type,
      validateCustomDecorators: true,
      exceptionFactory: doesNotFit,
    });
    const checks = getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
    this.fields = [...new Set(checks.map((check) => check.propertyName))];
  }

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw unfit(`the ${this.part} must be a JSON object`);
    }
    const given = this.pick(value as Record<string, unknown>);
    return given === undefined ? {} : ((await super.transform(given, metadata)) as unknown);
  }

  /** The known fields that are given; undefined where none is, so nothing of a query can be wrong. */
  private pick(value: Record<string, unknown>): Record<string, unknown> | undefined {
    let isEmpty = this.part === 'query';
    const given: Record<string, unknown> = {};
    for (const name in value) {
      if (this.fields.includes(name)) {
        isEmpty = false;
        given[name] = isNested(value[name]) ? {} : value[name];
      } else if (this.unknownFields === 'refused') throw unfit(unknownField(name, this.part, this.fields));
    }
    return isEmpty ? undefined : given;
  }
}

/** What is nested is wrong whatever is in it. */
function isNested(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function unknownField(name: string, part: string, fields: readonly string[]): string {
  const shown = JSON.stringify(name.slice(0, LONGEST_SHOWN));
  const what = part === 'query' ? 'parameter' : 'field';
  const known = fields.length === 0 ? 'none' : fields.join(', ');
  return `${shown} is no ${what} of this call, which takes ${known}`;
}
