import type { Leaf } from '@centralita/contracts';
import { equal, fromHex, type Hash } from '../bytes.js';
import { manifestRoot } from '../leaf.js';
import { finding, grouped, type Finding } from './finding.js';

export type IndexedLeaf = { readonly index: bigint; readonly leaf: Leaf };

const shortened = (id: string): string => `${id.slice(0, 8)}…`;
const span = (from: bigint, to: bigint): string => (from === to ? grouped(from) : `${grouped(from)}-${grouped(to)}`);

/**
 * The numbers per subject are 1, 2, 3 … and each leaf names the leaf before it: a record that was left out or moved is seen
 * without the records around it. In a range that does not begin the log the first number of a subject may be any.
 */
export const checkSubjects = (
  leaves: readonly IndexedLeaf[],
  { wholeLog, gapKnown }: { wholeLog: boolean; gapKnown: boolean },
): { complete: number; total: number; findings: Finding[] } => {
  const findings: Finding[] = [];
  const moved: { text: string; leafIndex: bigint; recordId: string }[] = [];
  const last = new Map<string, { seq: number; index: bigint }>();
  const broken = new Set<string>();
  for (const { index, leaf } of leaves) {
    const { subject, subjectSeq: seq, subjectPrev: previous } = leaf;
    if (subject === null) continue;
    const record = { leafIndex: index, recordId: leaf.recordId };
    const before = last.get(subject) ?? (wholeLog ? { seq: 0, index: null } : null);
    const name = `subject ${shortened(subject)}`;
    if (seq === null) {
      broken.add(subject);
      findings.push(finding('malformed', `${name} INVALID: leaf ${grouped(index)} has no number`, record));
      continue;
    }
    if (before && seq > before.seq + 1) {
      broken.add(subject);
      const missing = span(BigInt(before.seq + 1), BigInt(seq - 1));
      const where =
        before.index === null ? `before leaf ${grouped(index)}` : `between leaves ${grouped(before.index)} and ${grouped(index)}`;
      findings.push(finding('gap', `${name} GAP: seq ${missing} missing ${where}`, record));
    } else if (before && (seq < before.seq + 1 || previous !== (before.index?.toString() ?? null))) {
      broken.add(subject);
      moved.push({ ...record, text: `${name} INVALID: leaf ${grouped(index)} does not follow its predecessor` });
    }
    last.set(subject, { seq, index });
  }
  // Behind a hole every index is off: then the hole is what is wrong, not the leaves that name their predecessor.
  const verdict = gapKnown || findings.some((each) => each.verdict === 'gap') ? 'gap' : 'tampered';
  findings.push(...moved.map(({ text, ...record }) => finding(verdict, text, record)));
  return { complete: last.size - broken.size, total: last.size, findings };
};

/** Every emitting service numbers its records per lane: a row that was deleted before it reached the log leaves a hole. */
export const checkSources = (leaves: readonly IndexedLeaf[], wholeLog: boolean): Finding[] => {
  const lanes = new Map<string, { number: bigint; index: bigint }[]>();
  for (const { index, leaf } of leaves) {
    if (leaf.kind === 'subject') continue;
    const seen = lanes.get(leaf.sourceLane) ?? [];
    seen.push({ number: BigInt(leaf.sourceNumber), index });
    lanes.set(leaf.sourceLane, seen);
  }
  const findings: Finding[] = [];
  for (const [lane, seen] of lanes) {
    // A record that came late stands later in the log, but it stands there.
    seen.sort((a, b) => (a.number < b.number ? -1 : a.number > b.number ? 1 : 0));
    let expected = wholeLog ? 1n : (seen[0]?.number ?? 1n);
    for (const { number, index } of seen) {
      const record = { leafIndex: index };
      if (number > expected) {
        const text = `source ${shortened(lane)} GAP: number ${span(expected, number - 1n)} missing before leaf ${grouped(index)}`;
        findings.push(finding('gap', text, record));
      } else if (number < expected)
        findings.push(finding('tampered', `source ${shortened(lane)} INVALID: number ${grouped(number)} stands twice`, record));
      expected = number + 1n;
    }
  }
  return findings;
};

/**
 * The light leaves of a list stand right behind its record leaf and are exactly the entries of its manifest. Lists that the range
 * cuts off are not judged.
 */
export const checkManifests = (hash: Hash, leaves: readonly IndexedLeaf[], wholeLog: boolean): Finding[] => {
  const findings: Finding[] = [];
  let list: { leaf: Leaf; index: bigint; entries: string[] } | null = null;
  const close = (): void => {
    const { leaf, index, entries } = list ?? {};
    if (!leaf?.manifest || !entries || equal(manifestRoot(hash, entries), fromHex(leaf.manifest))) return;
    const text = `record ${leaf.recordId} (leaf ${grouped(index ?? 0n)}) GAP: its ${grouped(entries.length)} entries are not its manifest`;
    findings.push(finding('gap', text, { leafIndex: index, recordId: leaf.recordId }));
  };
  leaves.forEach(({ index, leaf }, position) => {
    if (leaf.kind !== 'subject') {
      close();
      list = { leaf, index, entries: [] };
    } else if (list?.leaf.recordId === leaf.recordId) list.entries.push(leaf.subject ?? '');
    else if (wholeLog || position > 0) {
      // Named once: the next entries of the same lost record stand behind it in silence.
      if (leaves[position - 1]?.leaf.recordId !== leaf.recordId) {
        const text = `record ${leaf.recordId} GAP: leaf ${grouped(index)} is an entry of a list that is not there`;
        findings.push(finding('gap', text, { leafIndex: index, recordId: leaf.recordId }));
      }
    }
  });
  return findings;
};
