import { applyDecorators, Header, SetMetadata, UseGuards } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiForbiddenResponse,
  ApiServiceUnavailableResponse,
  ApiUnauthorizedResponse,
} from '../http/documented.decorators.js';
import { ErrorResponse } from '../http/error-response.dto.js';
import { LONGEST_ADMIN_BODY, LONGEST_USER_BODY } from '../http/request-head.js';
import { RequestHeadGuard } from '../http/request-head.guard.js';
import { AccessGuard } from './access.guard.js';
import { REQUIRED_ROLE } from './allowed-role.js';
import type { AllowedRole } from './allowed-role.js';

/** Bytes that a body may have; a webhook's may have what the host's parser takes. */
const LONGEST_BODY: Record<AllowedRole, number> = { admin: LONGEST_ADMIN_BODY, alertmanager: Infinity };

/**
 * Whoever has a valid token may call.
 * @param longestBody bytes
 */
export function AllowAnyUser(longestBody = LONGEST_USER_BODY): MethodDecorator {
  return allow(longestBody);
}

function allow(longestBody: number): MethodDecorator {
  return applyDecorators(
    // Who may not call is told so first.
    UseGuards(AccessGuard, new RequestHeadGuard(longestBody)),
    Header('Cache-Control', 'no-store'),
    ApiBearerAuth(),
    ApiUnauthorizedResponse({ type: ErrorResponse, description: 'No token, or one that does not verify' }),
    ApiServiceUnavailableResponse({ type: ErrorResponse, description: 'Database or issuer away: try again' }),
  );
}

/** Only callers with that role may call; administrators may do what Alertmanager may. */
export function AllowRole(role: AllowedRole): MethodDecorator {
  return applyDecorators(
    SetMetadata(REQUIRED_ROLE, role),
    allow(LONGEST_BODY[role]),
    ApiForbiddenResponse({ type: ErrorResponse, description: 'The token lacks the role' }),
  );
}
