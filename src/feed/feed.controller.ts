import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '../http/documented.decorators.js';
import { AllowAnyUser } from '../auth/allow.decorators.js';
import { AlertsEndpoint } from '../http/alerts-endpoint.decorator.js';
import { KnownQuery } from '../http/known-fields.decorators.js';
import { FeedResponse } from './feed.dto.js';
import { FeedHealth } from './feed-health.service.js';

@ApiTags('alerts')
@Controller('alerts/feed')
@AlertsEndpoint()
export class FeedController {
  constructor(private readonly feed: FeedHealth) {}

  @Get()
  @AllowAnyUser()
  @ApiOperation({ summary: "Whether alerts can reach us: the age of Prometheus's watchdog alert" })
  @ApiOkResponse({ type: FeedResponse })
  check(@KnownQuery({}) _query: unknown): Promise<FeedResponse> {
    return this.feed.check();
  }
}
