import { applyDecorators, SetMetadata, UseGuards } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiForbiddenResponse,
  ApiServiceUnavailableResponse,
  ApiUnauthorizedResponse,
} from '@nestjs/swagger';
import { ErrorResponse } from '../http/error-response.dto.js';
import { JsonBodyGuard } from '../http/json-body.guard.js';
import { AccessGuard } from './access.guard.js';

export type AllowedRole = 'admin' | 'alertmanager';

export const REQUIRED_ROLE = 'session-alerts:role';

/** Whoever has a valid token may call. */
export function AllowAnyUser(): MethodDecorator {
  return applyDecorators(
    // Who may not call is told so first.
    UseGuards(AccessGuard, new JsonBodyGuard()),
    ApiBearerAuth(),
    ApiUnauthorizedResponse({ type: ErrorResponse, description: 'No token, or one that does not verify' }),
    ApiServiceUnavailableResponse({ type: ErrorResponse, description: 'Database or issuer away: try again' }),
  );
}

/** Only callers with that role may call; administrators may do what Alertmanager may. */
export function AllowRole(role: AllowedRole): MethodDecorator {
  return applyDecorators(
    SetMetadata(REQUIRED_ROLE, role),
    AllowAnyUser(),
    ApiForbiddenResponse({ type: ErrorResponse, description: 'The token lacks the role' }),
  );
}
