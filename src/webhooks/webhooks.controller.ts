import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import {
  ApiBody,
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiQuery,
  ApiTags,
  getSchemaPath,
} from '../http/documented.decorators.js';
import { AllowRole } from '../auth/allow.decorators.js';
import { nodeRequest } from '../http/http-request.js';
import type { HttpRequest } from '../http/http-request.js';
import { AlertsEndpoint } from '../http/alerts-endpoint.decorator.js';
import { KnownQuery } from '../http/known-fields.decorators.js';
import { takeArrival } from './webhook-arrival.middleware.js';
import { DryRunSummary, WEBHOOK_FIELDS, WebhookSummary } from './webhooks.dto.js';
import type { WebhookQuery } from './webhooks.dto.js';
import { WebhooksService } from './webhooks.service.js';

@ApiTags('webhooks')
@Controller('webhooks')
@AlertsEndpoint()
@ApiExtraModels(WebhookSummary, DryRunSummary)
export class WebhooksController {
  constructor(private readonly webhooks: WebhooksService) {}

  @Post('alertmanager')
  @HttpCode(200)
  @AllowRole('alertmanager')
  @ApiOperation({ summary: "Takes Alertmanager's webhook, version 4" })
  @ApiQuery({
    name: 'dry_run',
    required: false,
    description: 'Say what would be stored; store nothing',
    schema: { type: 'string', enum: ['true', 'false'], default: 'false' },
  })
  @ApiBody({ schema: { type: 'object', required: ['alerts'], description: "Alertmanager's webhook body" } })
  @ApiOkResponse({
    schema: { oneOf: [{ $ref: getSchemaPath(WebhookSummary) }, { $ref: getSchemaPath(DryRunSummary) }] },
  })
  receive(
    @Req() request: HttpRequest,
    @Body() body: unknown,
    @KnownQuery(WEBHOOK_FIELDS, 'ignored') query: Readonly<WebhookQuery>,
  ): Promise<WebhookSummary> {
    const arrivedAt = takeArrival(nodeRequest(request));
    return query.dry_run === 'true' ? this.webhooks.dryRun(body) : this.webhooks.receive(body, arrivedAt);
  }
}
