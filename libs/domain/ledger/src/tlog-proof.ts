import { fromBase64, fromDecimal, HASH_BYTES, toBase64 } from './bytes.js';
import { malformed } from './malformed.js';

/**
 * C2SP tlog-proof: one leaf's proof that needs no network. We put the leaf's own bytes into `extra`, so that the file is all that
 * an auditor has to keep; they are believed only because their hash is proven.
 */
export type TlogProof = {
  readonly index: bigint;
  readonly extra: Uint8Array | null;
  readonly path: readonly Uint8Array[];
  /** The signed checkpoint, verbatim. */
  readonly checkpoint: string;
};

const HEADER = 'c2sp.org/tlog-proof@v1';
/** A tree of 2^64 leaves has no longer path. */
const LONGEST_PATH = 64;

export const formatTlogProof = ({ index, extra, path, checkpoint }: TlogProof): string =>
  [HEADER, ...(extra ? [`extra ${toBase64(extra)}`] : []), `index ${index}`, ...path.map(toBase64), '', checkpoint].join('\n');

export const parseTlogProof = (text: string): TlogProof => {
  const blank = text.indexOf('\n\n');
  if (blank < 0) return malformed('proof', 'no blank line before the checkpoint');
  const [header, ...lines] = text.slice(0, blank).split('\n');
  if (header !== HEADER) return malformed('proof', `does not begin with ${HEADER}`);
  const extra = lines[0]?.startsWith('extra ') ? fromBase64((lines.shift() as string).slice(6), 'proof extra') : null;
  const index = lines.shift();
  if (!index?.startsWith('index ')) return malformed('proof', 'no index line');
  if (lines.length > LONGEST_PATH) return malformed('proof path', 'longer than any tree is high');
  const path = lines.map((line) => fromBase64(line, 'proof path'));
  if (path.some((node) => node.length !== HASH_BYTES)) return malformed('proof path', 'a hash has not 32 bytes');
  return { index: fromDecimal(index.slice(6), 'proof index'), extra, path, checkpoint: text.slice(blank + 2) };
};
