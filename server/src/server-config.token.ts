/** Injection token of the server's configuration. */
export const SERVER_CONFIG = Symbol('SERVER_CONFIG');
