import { fromBase64, fromDecimal, HASH_BYTES, toBase64 } from './bytes.js';
import { malformed } from './malformed.js';
import { parseNote, signNote, verifyNote, type NoteVerdict, type VerifierKey, type VerifySignature } from './note.js';

/** C2SP tlog-checkpoint: a log's promise about its first `size` leaves. */
export type Checkpoint = {
  readonly origin: string;
  readonly size: bigint;
  readonly root: Uint8Array;
  readonly extensions: readonly string[];
};

export const formatCheckpoint = ({ origin, size, root, extensions }: Checkpoint): string =>
  [origin, size.toString(), toBase64(root), ...extensions, ''].join('\n');

/** Reads the text of a checkpoint note strictly. */
export const parseCheckpoint = (text: string): Checkpoint => {
  const lines = text.split('\n');
  if (lines.pop() !== '') return malformed('checkpoint', 'does not end in a newline');
  const [origin, size, root, ...extensions] = lines;
  if (!origin || !size || !root || extensions.includes('')) return malformed('checkpoint', 'a line is missing or empty');
  const rootBytes = fromBase64(root, 'checkpoint root');
  if (rootBytes.length !== HASH_BYTES) return malformed('checkpoint root', 'not 32 bytes');
  return { origin, size: fromDecimal(size, 'checkpoint size'), root: rootBytes, extensions };
};

export const signCheckpoint = (
  checkpoint: Omit<Checkpoint, 'extensions'>,
  key: VerifierKey,
  sign: (message: Uint8Array) => Uint8Array,
): string => signNote(formatCheckpoint({ ...checkpoint, extensions: [] }), key, sign);

export type OpenedCheckpoint = { readonly checkpoint: Checkpoint; readonly verdict: NoteVerdict };

/** Reads a signed checkpoint and says who stands behind it. A key only vouches for the origin that it is named after. */
export const openCheckpoint = async (
  note: string,
  keys: readonly VerifierKey[],
  verify: VerifySignature,
): Promise<OpenedCheckpoint> => {
  const parsed = parseNote(note);
  const checkpoint = parseCheckpoint(parsed.text);
  const own = keys.filter((key) => key.name === checkpoint.origin);
  return { checkpoint, verdict: await verifyNote(parsed, own, verify) };
};
