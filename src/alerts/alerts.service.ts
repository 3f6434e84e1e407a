import { ConflictException, ForbiddenException, Injectable, NotFoundException } from '@nestjs/common';
import type { AlertsCaller } from '../auth/alerts-user.js';
import type { AlertRow, CreateAlertRequest } from './alerts.dto.js';
import { AlertsRepository } from './alerts.repository.js';
import { alertFingerprint } from './name-based-id.js';
import type { Observation, Outcome } from './observation.js';
import { capped, LONGEST_MESSAGE, LONGEST_NAME, LONGEST_TITLE, storable } from './text.js';

/** What can be done with alerts. A host may inject it. */
@Injectable()
export class AlertsService {
  constructor(private readonly repository: AlertsRepository) {}

  /**
   * Applies what a monitoring system reports. When it returns, all of it is committed.
   * @param arrivedAt when the report arrived (`performance.now()`, ms): reports apply in that order
   * @throws DatabaseUnavailableError nothing is stored
   */
  apply(observations: Observation[], arrivedAt: number = performance.now()): Promise<Outcome[]> {
    return this.repository.apply(observations, arrivedAt);
  }

  /** What `apply` would do now; stores nothing. */
  preview(observations: Observation[]): Promise<Outcome[]> {
    return this.repository.preview(observations, performance.now());
  }

  /**
   * Opens an alert that stays until somebody closes it.
   * @throws ConflictException the same user has an open alert of that event type for that session
   */
  async create(request: CreateAlertRequest): Promise<AlertRow> {
    const eventType = storable(request.event_type);
    const sessionName = request.session_name == null ? null : storable(request.session_name);
    const alert = await this.repository.create({
      fingerprint: alertFingerprint(request.user_id, sessionName, eventType),
      userId: request.user_id,
      sessionName,
      eventType,
      title: capped(request.title, LONGEST_TITLE),
      message: capped(request.message, LONGEST_MESSAGE),
      severity: request.severity == null ? null : capped(request.severity, LONGEST_NAME),
    });
    if (!alert) throw new ConflictException('The same alert is open already');
    return alert;
  }

  /** A user's open alerts, newest first. */
  listOpen(userId: string, sessionName?: string): Promise<AlertRow[]> {
    return this.repository.listOpen(userId, sessionName === undefined ? undefined : storable(sessionName));
  }

  /**
   * Closes an alert as an administrator; one that is closed already stays as it is.
   * @throws NotFoundException no such alert, or none that the caller may know of
   * @throws ForbiddenException the caller's own alert, but the caller is no administrator
   */
  async resolve(id: string, caller: AlertsCaller): Promise<AlertRow> {
    const alert = await this.repository.find(storable(id));
    if (!alert || (!caller.isAdmin && alert.user_id !== caller.id)) {
      throw new NotFoundException('There is no such alert');
    }
    if (!caller.isAdmin) throw new ForbiddenException('Only an administrator may resolve an alert');
    if (alert.resolved_date) return alert;
    await this.repository.closeByHand(alert, 'manual');
    return (await this.repository.find(alert.id)) ?? alert;
  }
}
