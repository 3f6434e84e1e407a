import { isHttpUrl } from 'nestjs-session-alerts/operations';
import { UsageError } from './command-error.js';

/** Where an instance's API and issuer are; all without a slash at their ends. */
export interface InstanceAddresses {
  /** What people open. */
  instance: string;
  apiUrl: string;
  issuer: string;
}

/** What the administrators' guide calls the instance, in every one of its files. */
export const GUIDES_INSTANCE = 'https://your-renku-instance.com';

/**
 * The addresses that the guide's paths make of an instance's, each of which may be given instead.
 * @throws UsageError
 */
export function instanceAddresses(given: Partial<InstanceAddresses>): InstanceAddresses {
  const instance = given.instance === undefined ? undefined : httpAddress('--instance', given.instance);
  const derived = (option: string, value: string | undefined, path: string): string => {
    if (value !== undefined) return httpAddress(option, value);
    if (instance === undefined) {
      throw new UsageError(`Give --instance with the instance's address, such as ${GUIDES_INSTANCE}.`);
    }
    return instance + path;
  };
  const apiUrl = derived('--api-url', given.apiUrl, '/api/data');
  return {
    apiUrl,
    issuer: derived('--issuer', given.issuer, '/auth/realms/Renku'),
    instance: instance ?? new URL(apiUrl).origin,
  };
}

/**
 * An http(s) address without a slash at its end. It may stand in YAML and in a shell's words as it is.
 * @throws UsageError
 */
export function httpAddress(option: string, value: string): string {
  const address = value.replace(/\/+$/, '');
  if (!isHttpUrl(address) || !/^https?:\/\/[\w.\-:[\]]+(\/[\w\-./~%]*)?$/.test(address)) {
    // It may hold a password: it is not repeated.
    throw new UsageError(
      `${option} must be an address like ${GUIDES_INSTANCE}, without user, query and fragment.`,
    );
  }
  return address;
}
