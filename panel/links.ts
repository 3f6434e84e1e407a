/** An address that a link may lead to: of another page, or of a mailbox; never a script, data or what is relative. */
export function safeAddress(address: string): string | undefined {
  // Addresses are followed without the control characters in them, which must not hide a scheme.
  const cleaned = [...address.trim()]
    .filter((character) => character > '\u001F' && character !== '\u007F')
    .join('');
  return /^(?:https?:\/\/|mailto:)/i.test(cleaned) ? cleaned : undefined;
}
