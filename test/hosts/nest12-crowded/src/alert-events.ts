import { Injectable } from '@nestjs/common';
import { EventEmitter2, OnEvent } from '@nestjs/event-emitter';
import { AlertsService } from 'nestjs-session-alerts';
import type { AlertRow } from 'nestjs-session-alerts';

@Injectable()
export class AlertEvents {
  readonly opened: string[] = [];

  constructor(alerts: AlertsService, events: EventEmitter2) {
    alerts.changes.subscribe(({ change, alert }) => events.emit(`alert.${change}`, alert));
  }

  @OnEvent('alert.opened')
  heard({ title }: AlertRow): void {
    this.opened.push(title);
  }
}
