import { applyDecorators, HttpCode, Post } from '@nestjs/common';
import { AllowRole } from '../auth/allow.decorators.js';
import {
  ApiBody,
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiQuery,
  getSchemaPath,
} from '../http/documented.decorators.js';
import type { Sender } from './senders.js';
import { DryRunSummary, WebhookSummary } from './webhooks.dto.js';

/** What the calls share that take webhooks. */
export function TakesWebhook({ name, version, path }: Sender): MethodDecorator {
  return applyDecorators(
    Post(path),
    HttpCode(200),
    AllowRole('alertmanager'),
    ApiOperation({ summary: `Takes ${name}'s webhook, version ${version}` }),
    ApiQuery({
      name: 'dry_run',
      required: false,
      description: 'Say what would be stored; store nothing',
      schema: { type: 'string', enum: ['true', 'false'], default: 'false' },
    }),
    ApiBody({ schema: { type: 'object', required: ['alerts'], description: `${name}'s webhook body` } }),
    ApiExtraModels(WebhookSummary, DryRunSummary),
    ApiOkResponse({
      schema: { oneOf: [{ $ref: getSchemaPath(WebhookSummary) }, { $ref: getSchemaPath(DryRunSummary) }] },
    }),
  );
}
