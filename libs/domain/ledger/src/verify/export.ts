import type { ExportBundle } from '@centralita/contracts';
import { fromHex, toHex, utf8 } from '../bytes.js';
import type { Checkpoint } from '../checkpoint.js';
import { originOf, parseLeaf, recordIdOf } from '../leaf.js';
import { parseVerifierKey } from '../note.js';
import { rootOfRange } from '../proof.js';
import { Frontier, leafHash, sameHash } from '../tree.js';
import { checkManifests, checkSources, checkSubjects, type IndexedLeaf } from './chains.js';
import { finding, grouped, type Finding } from './finding.js';
import { attempt, openHead, type SignedHead, type Trust } from './signed-head.js';

export type ExportReport = {
  readonly heads: readonly SignedHead[];
  readonly records: { readonly valid: number; readonly total: number };
  readonly subjects: { readonly complete: number; readonly total: number };
  readonly findings: readonly Finding[];
};

type CheckedLeaves = {
  readonly leaves: IndexedLeaf[];
  readonly hashes: Uint8Array[];
  readonly valid: number;
  readonly total: number;
};

/** Each leaf against its hash, so that the one that was changed, or is not there, is named. */
const checkLeaves = (findings: Finding[], bundle: ExportBundle, trust: Trust): CheckedLeaves => {
  const from = BigInt(bundle.from);
  const expected = BigInt(bundle.to) - from;
  const leaves: IndexedLeaf[] = [];
  let valid = 0;
  let at = 0;
  bundle.leafHashes.forEach((hash, position) => {
    const index = from + BigInt(position);
    const text = bundle.leaves[at];
    const own = text === undefined ? null : toHex(leafHash(trust.hash, utf8(text)));
    const name = `record ${grouped(position + 1)} (leaf ${grouped(index)})`;
    // With fewer leaves than hashes one was taken out; the leaf here is then the one of a later hash.
    const tooFew = bundle.leaves.length - at < bundle.leafHashes.length - position;
    if (text === undefined || (own !== hash && tooFew && bundle.leafHashes.includes(own ?? '', position))) {
      findings.push(finding('gap', `${name} GAP: not in the file`, { leafIndex: index }));
      return;
    }
    at += 1;
    if (own !== hash) {
      findings.push(
        finding('tampered', `${name} INVALID: hash value doesn't match`, { leafIndex: index, recordId: recordIdOf(text) }),
      );
      return;
    }
    const leaf = attempt(findings, name, () => parseLeaf(text), { leafIndex: index, recordId: recordIdOf(text) });
    if (!leaf) return;
    if (originOf(leaf.tenant) !== bundle.origin)
      findings.push(
        finding('tampered', `${name} INVALID: the leaf belongs to another log`, { leafIndex: index, recordId: leaf.recordId }),
      );
    else valid += 1;
    leaves.push({ index, leaf });
  });
  if (bundle.leaves.length > at)
    findings.push(finding('tampered', `records INVALID: ${grouped(bundle.leaves.length - at)} more leaves than hashes`));
  if (BigInt(bundle.leafHashes.length) !== expected)
    findings.push(finding('gap', `records GAP: ${grouped(bundle.leafHashes.length)} of ${grouped(expected)} are in the file`));
  return { leaves, hashes: bundle.leafHashes.map((hash) => fromHex(hash)), valid, total: Number(expected) };
};

/** Opens the checkpoint of a bundle, with the trusted keys or, when there are none, the file's own. */
const openBundle = async (findings: Finding[], bundle: ExportBundle, trust: Trust): Promise<SignedHead | null> => {
  const fileKey = attempt(findings, 'verifier key', () => parseVerifierKey(trust.hash, bundle.verifierKey));
  if (fileKey && fileKey.name !== bundle.origin)
    findings.push(finding('tampered', `verifier key INVALID: ${fileKey.name} is not the key of ${bundle.origin}`));
  const trusted = trust.keys.length > 0;
  const keys = trusted ? trust.keys : fileKey ? [fileKey] : [];
  const head = await openHead(findings, 'checkpoint', bundle.checkpoint, { ...trust, keys });
  // A signature by the file's own key says that the file agrees with itself, not who made it.
  if (head && !trusted && head.signedBy.length > 0)
    findings.push(finding('unknown_key', `checkpoint UNKNOWN KEY: only the file itself vouches for ${bundle.verifierKey}`));
  if (head && head.checkpoint.origin !== bundle.origin)
    findings.push(finding('tampered', `checkpoint INVALID: it is of ${head.checkpoint.origin}, not of ${bundle.origin}`));
  return head;
};

/** A wrong root that a missing leaf explains is a gap; otherwise something was changed. */
const rootFinding = (findings: readonly Finding[], checkpoint: Checkpoint): Finding =>
  finding(
    findings.some(({ verdict }) => verdict === 'gap') ? 'gap' : 'tampered',
    `checkpoint ${checkpoint.origin} size ${grouped(checkpoint.size)} INVALID: root of the leaves doesn't match`,
  );

const checkChains = (
  findings: Finding[],
  leaves: readonly IndexedLeaf[],
  trust: Trust,
  wholeLog: boolean,
): ExportReport['subjects'] => {
  findings.push(...checkSources(leaves, wholeLog), ...checkManifests(trust.hash, leaves, wholeLog));
  const gapKnown = findings.some(({ verdict }) => verdict === 'gap');
  const subjects = checkSubjects(leaves, { wholeLog, gapKnown });
  findings.push(...subjects.findings);
  return { complete: subjects.complete, total: subjects.total };
};

const checkRange = (
  findings: Finding[],
  bundle: ExportBundle,
  { hashes }: CheckedLeaves,
  head: SignedHead,
  trust: Trust,
): void => {
  const path = bundle.path.map((node) => fromHex(node));
  const { size, root } = head.checkpoint;
  const reached = rootOfRange(trust.hash, { from: BigInt(bundle.from), leafHashes: hashes, size, path });
  if (!reached || !sameHash(reached, root)) findings.push(rootFinding(findings, head.checkpoint));
};

/** Verifies one export: every leaf's bytes, the numbers per subject and source, the manifests of lists, the signature, the root. */
export const verifyExport = async (bundle: ExportBundle, trust: Trust): Promise<ExportReport> => {
  const findings: Finding[] = [];
  const checked = checkLeaves(findings, bundle, trust);
  const subjects = checkChains(findings, checked.leaves, trust, bundle.from === '0');
  const head = await openBundle(findings, bundle, trust);
  if (head) checkRange(findings, bundle, checked, head, trust);
  return { heads: head ? [head] : [], records: { valid: checked.valid, total: checked.total }, subjects, findings };
};

/**
 * Derives a whole log again from its leaves: exports that follow each other from leaf 0. Every checkpoint in them must be the root
 * of exactly these leaves, so two that were signed over different histories cannot both pass.
 */
export const fsck = async (bundles: readonly ExportBundle[], trust: Trust): Promise<ExportReport> => {
  const findings: Finding[] = [];
  const sorted = [...bundles].sort((a, b) => (BigInt(a.from) < BigInt(b.from) ? -1 : 1));
  const parts: CheckedLeaves[] = [];
  let next = 0n;
  for (const bundle of sorted) {
    const from = BigInt(bundle.from);
    if (bundle.origin !== sorted[0]?.origin)
      findings.push(finding('malformed', `fsck: ${bundle.origin} and ${sorted[0]?.origin} are different logs`));
    if (from > next) findings.push(missingLeaves(next, from));
    if (from < next) findings.push(finding('malformed', `fsck: leaf ${grouped(from)} is in two files`, { leafIndex: from }));
    parts.push(checkLeaves(findings, bundle, trust));
    next = BigInt(bundle.to);
  }
  const leaves = parts.flatMap((part) => part.leaves);
  const hashes = parts.flatMap((part) => part.hashes);
  const subjects = checkChains(findings, leaves, trust, true);
  const heads: SignedHead[] = [];
  for (const [position, bundle] of sorted.entries()) {
    const head = await openBundle(findings, bundle, trust);
    if (!head) continue;
    heads.push(head);
    checkRange(findings, bundle, parts[position] as CheckedLeaves, head, trust);
  }
  checkRoots(findings, hashes, heads, trust);
  const largest = heads.reduce((size, { checkpoint }) => (checkpoint.size > size ? checkpoint.size : size), 0n);
  if (largest > next) findings.push(missingLeaves(next, largest));
  const sum = (count: (part: CheckedLeaves) => number): number => parts.reduce((total, part) => total + count(part), 0);
  return { heads, records: { valid: sum((part) => part.valid), total: sum((part) => part.total) }, subjects, findings };
};

/** Every checkpoint that the leaves reach, in one walk over them: a long log comes in many files. */
const checkRoots = (findings: Finding[], hashes: readonly Uint8Array[], heads: readonly SignedHead[], trust: Trust): void => {
  const bySize = Map.groupBy(heads, ({ checkpoint }) => checkpoint.size);
  const frontier = new Frontier(trust.hash);
  const compare = (): void => {
    for (const { checkpoint } of bySize.get(frontier.size) ?? [])
      if (!sameHash(frontier.root(), checkpoint.root)) findings.push(rootFinding(findings, checkpoint));
  };
  compare();
  for (const hash of hashes) {
    frontier.append(hash);
    compare();
  }
};

const missingLeaves = (from: bigint, to: bigint): Finding =>
  finding('gap', `records GAP: leaves ${grouped(from)}-${grouped(to - 1n)} are in no file`, { leafIndex: from });
