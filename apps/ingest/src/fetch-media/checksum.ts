import { createHash } from 'node:crypto';

/** The bytes of a SHA-256 as the provider writes them, base64 in webhooks and hexadecimal in the Graph API; null when it is neither. */
const stated = (text: string): Buffer | null => {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  return /^[A-Za-z0-9+/_-]{43}=?$/.test(text) ? Buffer.from(text, 'base64') : null;
};

/** False only when a well-formed checksum contradicts the bytes. */
export const matchesChecksum = (bytes: Buffer, ...checksums: readonly (string | null)[]): boolean => {
  const actual = createHash('sha256').update(bytes).digest();
  return checksums.every((checksum) => {
    const expected = checksum === null ? null : stated(checksum);
    return expected === null || expected.equals(actual);
  });
};
