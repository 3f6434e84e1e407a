import type { Page } from 'playwright-core';

interface Channel {
  enabled: boolean;
  severity: string;
  subscriptions?: { endpoint: string; keys: object }[];
}

/** What a server keeps that has channels, in place of one whose settings name none. */
export interface KeptChannels {
  offered: Record<string, object>;
  channels: Record<string, Channel>;
}

/** Offers a page channels: mutes and quiet hours are the real server's, the channels are kept here. */
export async function offerChannels(page: Page, kept: KeptChannels): Promise<void> {
  await page.route('**/alerts/preferences', async (route) => {
    const request = route.request();
    const { channels, ...rest } = (request.postDataJSON() ?? {}) as Partial<KeptChannels>;
    const answer = await route.fetch(
      request.method() === 'PUT' ? { postData: JSON.stringify(rest) } : undefined,
    );
    if (!answer.ok()) {
      await route.fulfill({ response: answer });
      return;
    }
    if (channels) kept.channels = channels;
    const shown: Record<string, Channel> = {};
    for (const name of Object.keys(kept.offered)) {
      shown[name] = {
        ...(kept.channels[name] ?? { enabled: false, severity: 'warning' }),
        ...(name === 'web_push' && { subscriptions: kept.channels[name]?.subscriptions ?? [] }),
      };
    }
    const body = (await answer.json()) as object;
    await route.fulfill({
      response: answer,
      json: { ...body, channels: shown, offered: kept.offered },
    });
  });
}

/** E-mail to a verified address, web push and a channel of the host's. */
export const OFFERED = {
  email: { address: 'ann@example.org' },
  web_push: {
    public_key: 'BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM',
  },
  team_chat: {},
};
