import {
  Body,
  Controller,
  Get,
  Param,
  Patch,
  Post,
  Query,
  UnprocessableEntityException,
} from '@nestjs/common';
import {
  ApiConflictResponse,
  ApiForbiddenResponse,
  ApiNotFoundResponse,
  ApiOperation,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
import { AlertsEndpoint } from '../http/alerts-endpoint.decorator.js';
import { ErrorResponse } from '../http/error-response.dto.js';
import { AllowAnyUser, AllowRole } from '../auth/allow.decorators.js';
import { Caller } from '../auth/caller.decorator.js';
import type { AlertsCaller } from '../auth/alerts-user.js';
import { AlertResponse, CreateAlertRequest, ListAlertsQuery, UpdateAlertRequest } from './alerts.dto.js';
import { AlertsService } from './alerts.service.js';

@ApiTags('alerts')
@Controller('alerts')
@AlertsEndpoint()
export class AlertsController {
  constructor(private readonly alerts: AlertsService) {}

  @Get()
  @AllowAnyUser()
  @ApiOperation({
    summary: "The caller's open alerts, newest first; with `status=resolved` a page of those that ended",
  })
  @ApiResponse({ status: 200, type: [AlertResponse] })
  list(@Caller() caller: AlertsCaller, @Query() query: ListAlertsQuery): Promise<AlertResponse[]> {
    return query.status === 'resolved'
      ? this.alerts.listResolved(caller.id, query)
      : this.alerts.listOpen(caller.id, query.session_name);
  }

  @Post()
  @AllowRole('admin')
  @ApiOperation({ summary: 'Open an alert for a user' })
  @ApiResponse({ status: 201, type: AlertResponse })
  @ApiConflictResponse({ type: ErrorResponse, description: 'The same alert is open already' })
  create(@Body() request: CreateAlertRequest): Promise<AlertResponse> {
    return this.alerts.create(request);
  }

  @Patch(':id')
  @AllowAnyUser()
  @ApiOperation({
    summary:
      'Close an alert: as an administrator with `{"resolved": true}`, as its user with `{"dismissed": true}`',
  })
  @ApiResponse({ status: 200, type: AlertResponse })
  @ApiForbiddenResponse({ type: ErrorResponse, description: 'Only an administrator may resolve' })
  @ApiNotFoundResponse({ type: ErrorResponse, description: "No such alert, or somebody else's" })
  update(
    @Caller() caller: AlertsCaller,
    @Param('id') id: string,
    @Body() { resolved, dismissed }: UpdateAlertRequest,
  ): Promise<AlertResponse> {
    if (resolved === dismissed) {
      throw new UnprocessableEntityException({
        message: 'The request does not fit',
        detail: 'send either {"resolved": true} or {"dismissed": true}',
      });
    }
    return dismissed ? this.alerts.dismiss(id, caller.id) : this.alerts.resolve(id, caller);
  }
}
