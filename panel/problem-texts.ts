import type { ProblemKind } from './problem.js';

/** What is wrong, and what to set. */
export const PROBLEMS: Record<ProblemKind, (api: string) => string> = {
  address: (api) =>
    `There is no alerts API at ${api}: \`${api}/alerts\` was answered with something else. Set the attribute \`api\` to its address, up to before /alerts.`,
  token: () =>
    '`getToken` has failed. It must answer with an access token, or with a promise of one; with an empty text the page’s cookies have to do.',
  cors: (api) =>
    `${api} answers, but does not let pages of ${location.origin} read it. Add that origin to CORS_ORIGINS of the server, or allow it where the API is embedded.`,
  unauthorized: (api) =>
    `${api} refuses the access token (401), also a new one. Check that it is of the API's issuer and for its audience, and that \`getToken\` gives a new one when \`refresh\` is true.`,
};
