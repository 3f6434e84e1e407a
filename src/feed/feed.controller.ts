import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AllowAnyUser } from '../auth/allow.decorators.js';
import { AlertsEndpoint } from '../http/alerts-endpoint.decorator.js';
import { NoQuery } from '../http/known-fields.pipe.js';
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
  check(@Query() _query: NoQuery): Promise<FeedResponse> {
    return this.feed.check();
  }
}
