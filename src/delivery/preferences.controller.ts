import { Controller, Get, HttpCode, HttpStatus, Post, Put } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '../http/documented.decorators.js';
import { AlertsEndpoint } from '../http/alerts-endpoint.decorator.js';
import { LONGEST_LIST_BODY } from '../http/request-head.js';
import { KnownBody, KnownQuery } from '../http/known-fields.decorators.js';
import { AllowAnyUser } from '../auth/allow.decorators.js';
import { Caller } from '../auth/caller.decorator.js';
import type { AlertsCaller } from '../auth/alerts-caller.js';
import { AlertsService } from '../alerts/alerts.service.js';
import { Preferences, PREFERENCES_FIELDS } from './preferences.dto.js';
import { PreferencesService } from './preferences.service.js';
import { SEEN_FIELDS, SeenRequest, SeenResponse } from './seen.dto.js';

/** How the caller wants to be told of alerts, and what they have seen of them. */
@ApiTags('alerts')
@Controller('alerts')
@AlertsEndpoint()
export class PreferencesController {
  constructor(
    private readonly preferences: PreferencesService,
    private readonly alerts: AlertsService,
  ) {}

  @Get('preferences')
  @AllowAnyUser()
  @ApiOperation({
    summary: 'How the caller is told of alerts outside of the page, and which they have muted',
  })
  @ApiResponse({ status: 200, type: Preferences })
  read(@Caller() caller: AlertsCaller, @KnownQuery({}) _query: unknown): Promise<Preferences> {
    return this.preferences.read(caller);
  }

  @Put('preferences')
  @AllowAnyUser(LONGEST_LIST_BODY)
  @ApiOperation({ summary: 'Keep these instead of what the caller has said before' })
  @ApiBody({ type: Preferences })
  @ApiResponse({ status: 200, type: Preferences })
  write(
    @Caller() caller: AlertsCaller,
    @KnownBody(PREFERENCES_FIELDS) given: Readonly<Preferences>,
    @KnownQuery({}) _query: unknown,
  ): Promise<Preferences> {
    return this.preferences.write(caller, given);
  }

  @Post('seen')
  @HttpCode(HttpStatus.OK)
  @AllowAnyUser(LONGEST_LIST_BODY)
  @ApiOperation({
    summary: 'Note that the caller has had alerts before their eyes: they are not told of them elsewhere',
    description: "What is somebody else's, not open or seen already is passed over.",
  })
  @ApiBody({ type: SeenRequest })
  @ApiResponse({ status: 200, type: SeenResponse })
  async see(
    @Caller() caller: AlertsCaller,
    @KnownBody(SEEN_FIELDS) { ids }: Readonly<SeenRequest>,
    @KnownQuery({}) _query: unknown,
  ): Promise<SeenResponse> {
    return { seen: await this.alerts.markSeen(ids, caller.id) };
  }
}
