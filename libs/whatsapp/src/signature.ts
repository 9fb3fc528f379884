import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto';

/** Secrets of one app. Meta signs with one; the previous one is tried while a rotation is under way. */
export type AppSecrets = { readonly current: KeyObject; readonly previous?: KeyObject | undefined };

const HEADER = /^sha256=([0-9a-f]{64})$/;

/** Value of `X-Hub-Signature-256` for these bytes. */
export const signBody = (body: Buffer, secret: KeyObject): string =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;

/**
 * Which secret signed the received bytes, or false. Verify before parsing and never serialise again: the bytes of accents and emoji
 * would differ. A missing, doubled (Node joins them by a comma) or malformed header is false.
 */
export const verifySignature = (
  body: Buffer,
  header: string | readonly string[] | undefined,
  secrets: AppSecrets,
): keyof AppSecrets | false => {
  const given = typeof header === 'string' ? HEADER.exec(header)?.[1] : undefined;
  if (given === undefined) return false;
  const signature = Buffer.from(given, 'hex');
  const signs = (secret: KeyObject): boolean => timingSafeEqual(createHmac('sha256', secret).update(body).digest(), signature);
  if (signs(secrets.current)) return 'current';
  return secrets.previous !== undefined && signs(secrets.previous) ? 'previous' : false;
};
