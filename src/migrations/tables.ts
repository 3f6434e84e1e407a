import { Alert } from '../alerts/alert.entity.js';
import { Sightings } from '../alerts/sightings.entity.js';
import {
  Delivery,
  DeliveryTarget,
  Message,
  Mute,
  OpenPage,
  StoredPreferences,
} from '../delivery/delivery.entities.js';
import { Feed } from '../feed/feed.entity.js';
import { Reconciling } from '../webhooks/alertmanager/reconciling.entity.js';
import { CreateSessionAlerts1763800000000 } from './1763800000000-create-session-alerts.js';
import { KeepSightings1795300000000 } from './1795300000000-keep-sightings.js';
import { FindHistoryBySession1795600000000 } from './1795600000000-find-history-by-session.js';
import { OneRowAnAlert1795700000000 } from './1795700000000-one-row-an-alert.js';
import { TakeTurnsReconciling1795800000000 } from './1795800000000-take-turns-reconciling.js';
import { NoteReporters1795900000000 } from './1795900000000-note-reporters.js';
import { OfferActions1796000000000 } from './1796000000000-offer-actions.js';
import { TellOutside1796100000000 } from './1796100000000-tell-outside.js';
import { SayWhoseSightings1796200000000 } from './1796200000000-say-whose-sightings.js';
import { listed } from './listed-migrations.js';

/** For the host's DataSource, where it does not load entities by itself. */
export const alertsEntities = [
  Alert,
  Delivery,
  DeliveryTarget,
  Feed,
  Message,
  Mute,
  OpenPage,
  Reconciling,
  Sightings,
  StoredPreferences,
];

/**
 * The module's tables, in the schema `session_alerts`. For the host's DataSource, where `migrate` does not run them at
 * boot.
 */
export const alertsMigrations = listed([
  CreateSessionAlerts1763800000000,
  KeepSightings1795300000000,
  FindHistoryBySession1795600000000,
  OneRowAnAlert1795700000000,
  TakeTurnsReconciling1795800000000,
  NoteReporters1795900000000,
  OfferActions1796000000000,
  TellOutside1796100000000,
  SayWhoseSightings1796200000000,
]);
