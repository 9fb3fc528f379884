import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { AccessPage, AuditFindingPage, ProofView, RecordDetail, type Leaf } from '@centralita/contracts';
import {
  formatTlogProof,
  formatVerifierKey,
  Frontier,
  inclusionProof,
  leafHash,
  leafText,
  originOf,
  signCheckpoint,
  toHex,
  utf8,
  verifierKey,
  type NodeSource,
} from '@centralita/domain-ledger';
import { sha256 } from '@noble/hashes/sha2.js';
import type { z } from 'zod';
import { at, ME, TENANT, uuid } from './world.spec.js';

const key = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 5)]),
  format: 'der',
  type: 'pkcs8',
});
const own = verifierKey(
  sha256,
  originOf(TENANT),
  new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(12)),
);
export const VERIFIER_KEY = formatVerifierKey(own);
export const SUBJECT = uuid(2001);

const looks: readonly Partial<Leaf>[] = [
  {
    action: 'conversation.inbox.read',
    fields: ['display_name', 'message_preview'],
    reason: { code: 'QUEUE_TRIAGE', reference: null, text: null },
  },
  { action: 'conversation.thread.read', fields: ['display_name', 'message_text'] },
  { action: 'media.read', fields: ['media'], service: 'ingest' },
  {
    action: 'conversation.phone.reveal',
    fields: ['phone'],
    actor: { id: uuid(7), role: 'agent', session: 's2' },
    reason: { code: 'SUBJECT_REQUEST', reference: null, text: null },
    verified: 'contradicted',
  },
  {
    action: 'conversation.read',
    fields: [],
    outcome: 'denied',
    actor: { id: uuid(9), role: 'supervisor', session: 's3' },
    reason: { code: 'SUPERVISION_QA', reference: null, text: null },
    verified: 'unverifiable',
  },
  { action: 'conversation.thread.read', fields: ['message_text', 'note'] },
];
const leafAt = (index: number): Leaf => ({
  v: 1,
  tenant: TENANT,
  kind: 'record',
  recordId: uuid(9000 + index),
  occurredAt: at(-(looks.length - index) * 5_400_000),
  service: 'conversation',
  outcome: 'disclosed',
  actor: { id: ME, role: 'agent', session: 's1' },
  action: 'conversation.read',
  resource: { type: 'conversation', id: uuid(1001) },
  fields: [],
  resultCount: 1,
  manifest: null,
  reason: { code: 'ASSIGNED_CONVERSATION', reference: null, text: null },
  policy: { rule: 'roles-of-route', version: 1 },
  source: { ip: null, userAgent: null },
  subject: 'c'.repeat(43),
  subjectSeq: index + 1,
  subjectPrev: index === 0 ? null : (index - 1).toString(),
  verified: 'confirmed',
  basis: [uuid(902)],
  sourceLane: uuid(903),
  sourceNumber: (index + 1).toString(),
  ...looks[index],
});
const texts = looks.map((_look, index) => leafText(leafAt(index)));
const nodes = new Map<string, Uint8Array>();
const frontier = new Frontier(sha256);
for (const text of texts)
  for (const node of frontier.append(leafHash(sha256, utf8(text)))) nodes.set(`${node.level}/${node.index}`, node.hash);
const source: NodeSource = async (ids) => ids.map((id) => nodes.get(`${id.level}/${id.index}`) as Uint8Array);
const size = BigInt(texts.length);
const checkpoint = signCheckpoint({ origin: originOf(TENANT), size, root: frontier.root() }, own, (message) =>
  sign(null, message, key),
);

export const record = (index: number): z.infer<typeof RecordDetail> =>
  RecordDetail.parse({
    leafIndex: index.toString(),
    leafHash: toHex(leafHash(sha256, utf8(texts[index] as string))),
    sequencedAt: leafAt(index).occurredAt,
    leaf: leafAt(index),
    leafText: texts[index],
  });
/** The same record after somebody has changed a word of it in the database. */
export const tampered = (index: number): z.infer<typeof RecordDetail> => {
  const good = record(index);
  return {
    ...good,
    leaf: { ...good.leaf, fields: ['display_name'] },
    leafText: leafText({ ...good.leaf, fields: ['display_name'] }),
  };
};
export const proof = async (index: number): Promise<ProofView> => {
  const path = await inclusionProof(sha256, source, BigInt(index), size);
  const extra = utf8(texts[index] as string);
  return ProofView.parse({
    leafIndex: index.toString(),
    size: size.toString(),
    leafHash: toHex(leafHash(sha256, extra)),
    path: path.map(toHex),
    checkpoint,
    tlogProof: formatTlogProof({ index: BigInt(index), extra, path, checkpoint }),
  });
};
/** Records newest first; `without` leaves one out, as a log with a hole would answer. */
export const accessPage = (without: number | null, subject: boolean): z.infer<typeof AccessPage> => {
  const items = looks
    .map((_look, index) => index)
    .filter((index) => index !== without)
    .toReversed()
    .map((index) => {
      const { leafText: _text, ...row } = record(index);
      return row;
    });
  const state = subject ? (without === null ? 'complete' : 'gap') : 'not_a_subject';
  return AccessPage.parse({
    items,
    nextCursor: null,
    complete: { state, expected: subject ? looks.length : null, found: items.length },
  });
};

/** A source that left three numbers out, noticed at leaf 3. */
export const findings = (): z.infer<typeof AuditFindingPage> =>
  AuditFindingPage.parse({
    items: [
      {
        kind: 'source_gap',
        sourceLane: uuid(903),
        numberFrom: '12',
        numberTo: '14',
        leafIndex: '3',
        foundAt: at(-7_200_000),
      },
    ],
    nextCursor: null,
  });
