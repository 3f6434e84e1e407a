import { Inject, Injectable } from '@nestjs/common';
import { actionOf } from '../alerts/action.js';
import { alertFingerprint, seriesKey } from '../alerts/name-based-id.js';
import type { Observation } from '../alerts/observation.js';
import {
  capped,
  LONGEST_ACTION_LABEL,
  LONGEST_MESSAGE,
  LONGEST_NAME,
  LONGEST_TITLE,
  storable,
} from '../alerts/text.js';
import { USER_ID } from '../auth/user-id.js';
import { ALERTS_SETTINGS } from '../options/alerts-settings.js';
import { isHttpUrl } from '../options/option-checks.js';
import type { AlertsSettings } from '../options/alerts-settings.js';
import { parseMoment } from './rfc3339.js';
import type { Sender } from './senders.js';
import type { SkipReason } from './skip-reason.js';
import { seriesFingerprint as fingerprintOfLabels } from './series-fingerprint.js';

/** The watchdog is no alert for anybody: that it comes is what it says. */
export type MappedAlert = { observation: Observation } | { skipped: SkipReason } | { watchdog: true };

/** Turns one alert of a webhook into an observation, or says why it cannot. */
@Injectable()
export class AlertMapper {
  constructor(@Inject(ALERTS_SETTINGS) private readonly settings: Pick<AlertsSettings, 'feed'>) {}

  map(alert: unknown, sender: Sender): MappedAlert {
    if (!isRecord(alert)) return { skipped: 'not_an_object' };
    const { status } = alert;
    if (status !== 'firing' && status !== 'resolved') return { skipped: 'no_status' };
    const { labels } = alert;
    const name = textOf(labels, 'alertname');
    if (name === this.settings.feed.alertname) {
      return status === 'firing' ? { watchdog: true } : { skipped: 'watchdog_resolved' };
    }
    const untold = name === undefined ? undefined : sender.untold.get(name);
    if (untold) return { skipped: untold };

    const userId = textOf(labels, 'safe_username');
    if (!userId) return { skipped: 'no_user' };
    if (!USER_ID.test(userId)) return { skipped: 'invalid_user' };
    const session = textOf(labels, 'statefulset');
    if (!session) return { skipped: 'no_session' };
    if (session.length > LONGEST_NAME) return { skipped: 'invalid_session' };
    const sessionName = storable(session);

    const seriesFingerprint = fingerprintOf(alert);
    if (seriesFingerprint === undefined) return { skipped: 'too_many_labels' };
    const key = seriesKey(userId, sessionName, seriesFingerprint);
    const isNamed = name !== undefined;
    const startsAt = parseMoment(alert.startsAt);
    if (status === 'resolved') {
      return {
        observation: {
          status,
          seriesKey: key,
          seriesFingerprint,
          userId,
          sessionName,
          isNamed,
          startsAt,
          fingerprint: isNamed ? alertFingerprint(userId, sessionName, name) : undefined,
          endsAt: parseMoment(alert.endsAt),
        },
      };
    }

    const { annotations } = alert;
    const title = titleIn(annotations, sender);
    if (title === undefined) return { skipped: 'no_title' };
    const message = textOf(annotations, 'description');
    if (!message?.trim()) return { skipped: 'no_message' };
    const eventType = name ?? title;
    const severity = textOf(labels, 'severity');
    const actionLabel = textOf(annotations, 'action_label');
    return {
      observation: {
        status,
        seriesKey: key,
        seriesFingerprint,
        userId,
        sessionName,
        isNamed,
        startsAt,
        fingerprint: alertFingerprint(userId, sessionName, eventType),
        eventType: capped(eventType, LONGEST_NAME),
        title: capped(title, LONGEST_TITLE),
        message: capped(message, LONGEST_MESSAGE),
        severity: severity === undefined ? null : capped(severity, LONGEST_NAME),
        kind: textOf(labels, 'alert_kind') === 'event' ? 'event' : 'condition',
        runbookUrl: urlOf(annotations, 'runbook_url'),
        action: actionOf(
          actionLabel?.trim() ? capped(actionLabel, LONGEST_ACTION_LABEL) : null,
          urlOf(annotations, 'action_url'),
        ),
      },
    };
  }
}

const LONGEST_URL = 2_000;

/** To sort and hash more than that keeps everybody waiting. Alertmanager's own fingerprint needs none of it. */
const MOST_LABELS = 20_000;

/** Undefined where the alert has none and more labels than one can be made of. */
function fingerprintOf({ fingerprint, labels }: Record<string, unknown>): string | undefined {
  if (typeof fingerprint === 'string' && /^[0-9a-f]{16}$/.test(fingerprint)) return fingerprint;
  const names = Object.keys(labels ?? {});
  if (names.length > MOST_LABELS) return undefined;
  return fingerprintOfLabels(new Map(Object.entries(labels ?? {}).filter(isText)));
}

/** A label or annotation. Empty ones count as absent, as in Prometheus, and so does what is no text. */
function textOf(texts: unknown, name: string): string | undefined {
  if (!isRecord(texts) || !Object.hasOwn(texts, name)) return undefined;
  const text = texts[name];
  return typeof text === 'string' && text !== '' ? text : undefined;
}

/** The first that says anything. */
function titleIn(annotations: unknown, { titles }: Sender): string | undefined {
  for (const name of titles) {
    const text = textOf(annotations, name);
    if (text?.trim()) return text;
  }
  return undefined;
}

/** An annotation that can be linked to. */
function urlOf(texts: unknown, name: string): string | null {
  const url = textOf(texts, name);
  return isHttpUrl(url) && url.length <= LONGEST_URL ? storable(url) : null;
}

function isText(label: [string, unknown]): label is [string, string] {
  return typeof label[1] === 'string' && label[1] !== '';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
