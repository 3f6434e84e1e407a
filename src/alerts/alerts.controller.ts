import { applyDecorators, Controller, Get, Headers, HttpStatus, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiQuery, ApiResponse, ApiTags } from '../http/documented.decorators.js';
import { AlertsEndpoint } from '../http/alerts-endpoint.decorator.js';
import { nodeRequest } from '../http/http-request.js';
import type { HttpRequest } from '../http/http-request.js';
import { KnownQuery } from '../http/known-fields.decorators.js';
import { inTraceOf } from '../http/trace-context.js';
import { unfit } from '../http/unfit.js';
import { AllowAnyUser } from '../auth/allow.decorators.js';
import { Caller } from '../auth/caller.decorator.js';
import type { AlertsCaller } from '../auth/alerts-caller.js';
import { AlertResponse, LIST_FIELDS, LIST_PARAMETERS } from './alerts.dto.js';
import type { ListAlertsQuery } from './alerts.dto.js';
import { AlertsService } from './alerts.service.js';
import { MOST_SHOWN } from './alerts.statements.js';
import { OpenAlerts } from './open-alerts.service.js';

/** What Express's and Fastify's responses have in common. */
interface HeadersOnly {
  header(name: string, value: string): unknown;
  status(code: number): unknown;
}

const ONLY_OF_HISTORY = ['since', 'limit', 'cursor'] as const;

/** What one may read of one's alerts. */
@ApiTags('alerts')
@Controller('alerts')
@AlertsEndpoint()
export class AlertsController {
  constructor(
    private readonly alerts: AlertsService,
    private readonly openAlerts: OpenAlerts,
  ) {}

  @Get()
  @AllowAnyUser()
  @ApiOperation({
    summary:
      "The caller's open alerts, the gravest first, then the newest; with `status=resolved` a page of those that ended",
  })
  @applyDecorators(...LIST_PARAMETERS.map(ApiQuery))
  @ApiHeader({ name: 'If-None-Match', required: false, description: "Open alerts: the last answer's `ETag`" })
  @ApiResponse({
    status: 200,
    type: [AlertResponse],
    headers: {
      ETag: { description: 'Open alerts: what to send as `If-None-Match`', schema: { type: 'string' } },
      'X-Total-Count': {
        description: `How many are open: an answer carries at most ${MOST_SHOWN} of them, and at most some 270 kB`,
        schema: { type: 'integer' },
      },
    },
  })
  @ApiResponse({ status: 304, description: 'The open alerts are those of the last answer' })
  list(
    @Req() request: HttpRequest,
    @Caller() caller: AlertsCaller,
    @KnownQuery(LIST_FIELDS) query: Readonly<ListAlertsQuery>,
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) response: HeadersOnly,
  ): Promise<AlertResponse[] | undefined> {
    return inTraceOf(nodeRequest(request), () => this.listFor(caller, query, known, response));
  }

  private async listFor(
    caller: AlertsCaller,
    query: Readonly<ListAlertsQuery>,
    known: string | undefined,
    response: HeadersOnly,
  ): Promise<AlertResponse[] | undefined> {
    if (query.status === 'resolved') return this.alerts.listResolved(caller.id, query);
    const ofHistory = ONLY_OF_HISTORY.filter((name) => query[name] !== undefined);
    if (ofHistory.length > 0) throw unfit(`${ofHistory.join(', ')} can be said with status=resolved only`);
    const { etag, total, alerts } = await this.openAlerts.list(caller.id, query.session_name, known);
    response.header('ETag', etag);
    response.header('X-Total-Count', String(total));
    if (!alerts) response.status(HttpStatus.NOT_MODIFIED);
    return alerts;
  }
}
