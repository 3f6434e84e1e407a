import { Controller, Param, Patch, Post } from '@nestjs/common';
import {
  ApiBody,
  ApiConflictResponse,
  ApiForbiddenResponse,
  ApiNotFoundResponse,
  ApiOperation,
  ApiParam,
  ApiResponse,
  ApiTags,
} from '../http/documented.decorators.js';
import { AlertsEndpoint } from '../http/alerts-endpoint.decorator.js';
import { ErrorResponse } from '../http/error-response.dto.js';
import { KnownBody, KnownQuery } from '../http/known-fields.decorators.js';
import { unfit } from '../http/unfit.js';
import { AllowAnyUser, AllowRole } from '../auth/allow.decorators.js';
import { Caller } from '../auth/caller.decorator.js';
import type { AlertsCaller } from '../auth/alerts-caller.js';
import { ALERT_ID } from './alert-id.js';
import {
  AlertResponse,
  CREATE_FIELDS,
  CreateAlertRequest,
  UPDATE_FIELDS,
  UpdateAlertRequest,
} from './alerts.dto.js';
import { AlertsService } from './alerts.service.js';

/** What changes alerts: apart from what reads them, as such a call is looked at before its body (`TokenFirstMiddleware`). */
@ApiTags('alerts')
@Controller('alerts')
@AlertsEndpoint()
export class AlertChangesController {
  constructor(private readonly alerts: AlertsService) {}

  @Post()
  @AllowRole('admin')
  @ApiOperation({ summary: 'Open an alert for a user' })
  @ApiBody({ type: CreateAlertRequest })
  @ApiResponse({ status: 201, type: AlertResponse })
  @ApiConflictResponse({ type: ErrorResponse, description: 'The same alert is open already' })
  create(
    @KnownBody(CREATE_FIELDS) request: Readonly<CreateAlertRequest>,
    // Nest reads the last first: what nobody knows is named before what is wrong.
    @KnownQuery({}) _query: unknown,
  ): Promise<AlertResponse> {
    return this.alerts.create(request);
  }

  @Patch(':id')
  @AllowAnyUser()
  @ApiOperation({
    summary:
      'Close an alert: as an administrator with `{"resolved": true}`, as its user with `{"dismissed": true}`',
    description: 'What says neither is answered the alert as it is, and changes nothing.',
  })
  @ApiParam({
    name: 'id',
    description: 'ULID, in either case',
    schema: { type: 'string', pattern: ALERT_ID.source },
  })
  @ApiBody({ type: UpdateAlertRequest })
  @ApiResponse({ status: 200, type: AlertResponse })
  @ApiForbiddenResponse({ type: ErrorResponse, description: 'Only an administrator may resolve' })
  @ApiNotFoundResponse({ type: ErrorResponse, description: "No such alert, or somebody else's" })
  update(
    @Caller() caller: AlertsCaller,
    @Param('id') id: string,
    @KnownBody(UPDATE_FIELDS) { resolved, dismissed }: Readonly<UpdateAlertRequest>,
    @KnownQuery({}) _query: unknown,
  ): Promise<AlertResponse> {
    if (resolved && dismissed) throw unfit('send either {"resolved": true} or {"dismissed": true}');
    if (resolved) return this.alerts.resolve(id, caller);
    return dismissed ? this.alerts.dismiss(id, caller.id) : this.alerts.find(id, caller);
  }
}
