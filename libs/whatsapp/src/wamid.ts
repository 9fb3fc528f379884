const PREFIX = 'wamid.';
// Framing bytes around the two strings, as in the ids of public samples.
const HEAD = [0x1c, 0x18];
const MIDDLE = [0x15, 0x02, 0x00, 0x11, 0x18];

/**
 * A message id of the provider's shape: base64 over bytes that hold the user's identifier in clear. That is why a wamid is personal
 * data, and why test traffic must have ids like these. `random` gives the unique part: nine bytes are usual.
 */
export const makeWamid = (user: string, random: Uint8Array): string => {
  const unique = Buffer.from(random).toString('hex').toUpperCase();
  if (user.length > 255 || unique.length > 255) throw new RangeError('a wamid holds at most 255 bytes of each part');
  const bytes = [HEAD, [user.length], Buffer.from(user, 'ascii'), MIDDLE, [unique.length], Buffer.from(unique, 'ascii'), [0]];
  return PREFIX + Buffer.concat(bytes.map((part) => Buffer.from(part))).toString('base64');
};

/** The identifier inside a wamid of that shape, or null. */
export const userOfWamid = (wamid: string): string | null => {
  if (!wamid.startsWith(PREFIX)) return null;
  const bytes = Buffer.from(wamid.slice(PREFIX.length), 'base64');
  const length = bytes[2];
  if (bytes[0] !== HEAD[0] || bytes[1] !== HEAD[1] || length === undefined || bytes.length < 3 + length) return null;
  return bytes.subarray(3, 3 + length).toString('ascii');
};
