import { Body, Controller, Req } from '@nestjs/common';
import { ApiTags } from '../http/documented.decorators.js';
import { nodeRequest } from '../http/http-request.js';
import type { HttpRequest } from '../http/http-request.js';
import { AlertsEndpoint } from '../http/alerts-endpoint.decorator.js';
import { KnownQuery } from '../http/known-fields.decorators.js';
import { inTraceOf } from '../http/trace-context.js';
import { ALERTMANAGER } from './senders.js';
import { takeArrival } from './webhook-arrival.middleware.js';
import { TakesWebhook } from './webhook.decorators.js';
import { WEBHOOK_FIELDS } from './webhooks.dto.js';
import type { WebhookQuery, WebhookSummary } from './webhooks.dto.js';
import { WebhooksService } from './webhooks.service.js';

@ApiTags('webhooks')
@Controller('webhooks')
@AlertsEndpoint()
export class WebhooksController {
  constructor(private readonly webhooks: WebhooksService) {}

  @TakesWebhook(ALERTMANAGER)
  receive(
    @Req() request: HttpRequest,
    @Body() body: unknown,
    @KnownQuery(WEBHOOK_FIELDS, 'ignored') query: Readonly<WebhookQuery>,
  ): Promise<WebhookSummary> {
    const raw = nodeRequest(request);
    const arrivedAt = takeArrival(raw);
    return inTraceOf(raw, () =>
      query.dry_run === 'true'
        ? this.webhooks.dryRun(body, ALERTMANAGER)
        : this.webhooks.receive(body, ALERTMANAGER, arrivedAt),
    );
  }
}
