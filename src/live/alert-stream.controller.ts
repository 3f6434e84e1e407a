import type { ServerResponse } from 'node:http';
import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiQuery, ApiTags } from '../http/documented.decorators.js';
import { SESSION_PARAMETER } from '../alerts/alerts.dto.js';
import { LONGEST_NAME, storable } from '../alerts/text.js';
import { AllowAnyUser } from '../auth/allow.decorators.js';
import { Caller } from '../auth/caller.decorator.js';
import type { AlertsCaller } from '../auth/alerts-caller.js';
import { AlertsEndpoint } from '../http/alerts-endpoint.decorator.js';
import { optional, text } from '../http/fields.js';
import type { Fields } from '../http/fields.js';
import { KnownQuery } from '../http/known-fields.decorators.js';
import { onceOver } from '../http/once-over.js';
import { AlertStream } from './alert-stream.js';
import { LiveAlerts } from './live-alerts.service.js';

/** A response of Express (Node's own, extended), or of Fastify (with Node's own inside). */
type HttpResponse = ServerResponse | FastifyResponse;
interface FastifyResponse {
  raw: ServerResponse;
  hijack(): void;
  getHeaders(): Record<string, number | string | string[] | undefined>;
}

export interface StreamQuery {
  session_name?: string;
}
export const STREAM_FIELDS: Fields<StreamQuery> = { session_name: optional(text({ longest: LONGEST_NAME })) };

@ApiTags('alerts')
@Controller('alerts/stream')
@AlertsEndpoint()
export class AlertStreamController {
  constructor(private readonly live: LiveAlerts) {}

  @Get()
  @AllowAnyUser()
  @ApiOperation({
    summary: "Server-Sent Events: the caller's open alerts, the gravest first, now and whenever they change",
    description:
      'Each event without a name carries the whole list, as `GET /alerts` answers it; the event `total` says how many are open, before the list and whenever that changes; the event `feed` carries what `GET /alerts/feed` answers; `expired` comes before the end when the token has expired.',
  })
  @ApiQuery(SESSION_PARAMETER)
  @ApiOkResponse({ content: { 'text/event-stream': { schema: { type: 'string' } } } })
  stream(
    @Caller() caller: AlertsCaller,
    @KnownQuery(STREAM_FIELDS) { session_name: sessionName }: Readonly<StreamQuery>,
    @Res() response: HttpResponse,
  ): void {
    this.live.admit(caller.id);
    const raw = 'raw' in response ? response.raw : response;
    const headers = 'raw' in response ? response.getHeaders() : {};
    if ('raw' in response) response.hijack();
    const stream = new AlertStream(
      {
        userId: caller.id,
        sessionName: sessionName === undefined ? undefined : storable(sessionName),
        expiresAt: caller.expiresAt,
      },
      raw,
    );
    stream.open(headers);
    if (raw.req.method === 'HEAD') {
      stream.end();
      return;
    }
    this.live.add(stream);
    onceOver(raw.req, raw, () => {
      this.live.remove(stream);
    });
  }
}
