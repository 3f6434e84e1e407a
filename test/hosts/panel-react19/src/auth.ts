declare global {
  /** The test's own. */
  function giveToken(options: { refresh: boolean }): Promise<string>;
}

export const auth = {
  accessToken: (options: { refresh: boolean }): Promise<string> => globalThis.giveToken(options),
};
