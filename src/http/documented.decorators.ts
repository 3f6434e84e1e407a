import { wrong } from '../options/option-checks.js';
import { swagger } from './optional-packages.cjs';
import type { Swagger } from './optional-packages.cjs';

/** What describes our calls: @nestjs/swagger's decorators. Where the host does without, they do nothing. */
export const ApiBearerAuth = ofSwagger('ApiBearerAuth');
export const ApiBody = ofSwagger('ApiBody');
export const ApiConflictResponse = ofSwagger('ApiConflictResponse');
export const ApiDefaultResponse = ofSwagger('ApiDefaultResponse');
export const ApiExtraModels = ofSwagger('ApiExtraModels');
export const ApiForbiddenResponse = ofSwagger('ApiForbiddenResponse');
export const ApiHeader = ofSwagger('ApiHeader');
export const ApiNotFoundResponse = ofSwagger('ApiNotFoundResponse');
export const ApiOkResponse = ofSwagger('ApiOkResponse');
export const ApiOperation = ofSwagger('ApiOperation');
export const ApiParam = ofSwagger('ApiParam');
export const ApiProperty = ofSwagger('ApiProperty');
export const ApiPropertyOptional = ofSwagger('ApiPropertyOptional');
export const ApiQuery = ofSwagger('ApiQuery');
export const ApiResponse = ofSwagger('ApiResponse');
export const ApiSchema = ofSwagger('ApiSchema');
export const ApiServiceUnavailableResponse = ofSwagger('ApiServiceUnavailableResponse');
export const ApiTags = ofSwagger('ApiTags');
export const ApiUnauthorizedResponse = ofSwagger('ApiUnauthorizedResponse');
export const ApiUnprocessableEntityResponse = ofSwagger('ApiUnprocessableEntityResponse');
export const getSchemaPath = ofSwagger('getSchemaPath');

/** Of a body: Swagger passes on what its type does not know. */
export const NOTHING_ELSE = { description: 'Other fields are refused', additionalProperties: false };

function ofSwagger<Name extends keyof Swagger>(name: Name): Swagger[Name] {
  const decorator: unknown = swagger ? swagger[name] : () => () => undefined;
  if (typeof decorator !== 'function') {
    throw wrong(
      `@nestjs/swagger is too old, it has no ${name}: npm install @nestjs/swagger@11 with NestJS 11, @nestjs/swagger@12 with 12`,
    );
  }
  return decorator as Swagger[Name];
}
