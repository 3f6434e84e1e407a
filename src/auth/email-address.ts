/** Characters of an address (RFC 5321). */
const LONGEST_EMAIL = 254;
/** No spaces, controls, or what stands around addresses where there are several. */
const EMAIL = /^[^\s@<>()[\]\\,;:"\p{C}]+@[^\s@<>()[\]\\,;:"\p{C}]+$/u;

/** Whether it is one e-mail address and nothing besides, so that it may stand in a header. */
export function isEmailAddress(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST_EMAIL && EMAIL.test(value);
}
