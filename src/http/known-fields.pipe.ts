import { ValidationPipe } from '@nestjs/common';
import type { ArgumentMetadata } from '@nestjs/common';
import { getMetadataStorage } from 'class-validator';
import { doesNotFit, unfit } from './unfit.js';

/**
 * What becomes of fields and parameters that no request class names: monitoring systems add some with every version,
 * a person's is a mistake.
 */
export type UnknownFields = 'refused' | 'ignored';

/** For calls that take no parameters. */
export class NoQuery {
  [name: string]: never;
}

/** As much of an unknown name as an answer repeats. */
const LONGEST_SHOWN = 100;

/**
 * Checks bodies and queries against their classes, of which it looks at the named fields only, and at no depth: none of
 * ours is nested, and class-transformer would walk through all that somebody sends.
 */
export class KnownFieldsPipe extends ValidationPipe {
  private readonly fieldsOf = new Map<unknown, readonly string[]>();

  constructor(private readonly unknownFields: UnknownFields) {
    super({ transform: true, exceptionFactory: doesNotFit });
  }

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const { type, metatype } = metadata;
    const isOurs = (type === 'body' || type === 'query') && metatype !== undefined && metatype !== Object;
    if (!isOurs) return value;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw unfit(`the ${type} must be a JSON object`);
    }
    const given = this.pick(value as Record<string, unknown>, metadata);
    return given === undefined ? {} : ((await super.transform(given, metadata)) as unknown);
  }

  /** The known fields that are given; undefined where none is, so nothing of a query can be wrong. */
  private pick(
    value: Record<string, unknown>,
    { type, metatype }: ArgumentMetadata,
  ): Record<string, unknown> | undefined {
    const fields = this.knownOf(metatype);
    let isEmpty = type === 'query';
    const given: Record<string, unknown> = {};
    for (const name in value) {
      if (fields.includes(name)) {
        isEmpty = false;
        given[name] = isNested(value[name]) ? {} : value[name];
      } else if (this.unknownFields === 'refused') throw unfit(unknownField(name, type, fields));
    }
    return isEmpty ? undefined : given;
  }

  private knownOf(metatype: ArgumentMetadata['metatype']): readonly string[] {
    let fields = this.fieldsOf.get(metatype);
    if (!fields) {
      const checks =
        metatype && getMetadataStorage().getTargetValidationMetadatas(metatype, '', false, false);
      fields = [...new Set(checks?.map((check) => check.propertyName))];
      this.fieldsOf.set(metatype, fields);
    }
    return fields;
  }
}

/** What is nested is wrong whatever is in it. */
function isNested(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function unknownField(name: string, type: string, fields: readonly string[]): string {
  const shown = JSON.stringify(name.slice(0, LONGEST_SHOWN));
  const what = type === 'query' ? 'parameter' : 'field';
  const known = fields.length === 0 ? 'none' : fields.join(', ');
  return `${shown} is no ${what} of this call, which takes ${known}`;
}
