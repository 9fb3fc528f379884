import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import type { ConsistencyView, ExportBundle, Leaf, ProofView } from '@centralita/contracts';
import {
  consistencyProof,
  formatTlogProof,
  formatVerifierKey,
  Frontier,
  inclusionProof,
  leafHash,
  leafText,
  rangeProof,
  rootAt,
  signCheckpoint,
  toHex,
  utf8,
  verifierKey,
  type NodeSource,
} from '@centralita/domain-ledger';
import type { z } from 'zod';
import { sha256 } from './crypto.js';

const TENANT = '6b1f4b9e-3a52-4f0e-9d0a-0d4b1f0f7c11';
export const ORIGIN = `centralita/${TENANT}`;
const key = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 5)]),
  format: 'der',
  type: 'pkcs8',
});
const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(12);
const own = verifierKey(sha256, ORIGIN, publicKey);
export const VKEY = formatVerifierKey(own);
export const KEY_ID = own.keyId;
export const OTHER_VKEY = formatVerifierKey(verifierKey(sha256, ORIGIN, new Uint8Array(32).fill(1)));

export const uuid = (n: number): string => `00000000-0000-7000-8000-${n.toString().padStart(12, '0')}`;

/** Record i shows customer i % 3; so customer 0 has leaves 0, 3, 6 … */
const leaf = (i: number): string => {
  const value: Leaf = {
    v: 1,
    tenant: TENANT,
    kind: 'record',
    recordId: uuid(i),
    occurredAt: '2026-11-22T10:00:00.000Z',
    service: 'conversation',
    outcome: 'disclosed',
    actor: { id: uuid(900), role: 'agent', session: 's' },
    action: 'conversation.thread.read',
    resource: { type: 'conversation', id: uuid(901) },
    fields: ['message_text'],
    resultCount: 1,
    manifest: null,
    reason: { code: 'ASSIGNED_CONVERSATION', reference: null, text: null },
    policy: { rule: 'roles-of-route', version: 1 },
    source: { ip: null, userAgent: null },
    subject: `${i % 3}`.padStart(43, 'c'),
    subjectSeq: Math.floor(i / 3) + 1,
    subjectPrev: i < 3 ? null : (i - 3).toString(),
    verified: 'confirmed',
    basis: [],
    sourceLane: uuid(902),
    sourceNumber: (i + 1).toString(),
  };
  return leafText(value);
};

const texts = Array.from({ length: 8 }, (_, i) => leaf(i));
const nodes = new Map<string, Uint8Array>();
const frontier = new Frontier(sha256);
for (const text of texts)
  for (const node of frontier.append(leafHash(sha256, utf8(text)))) nodes.set(`${node.level}/${node.index}`, node.hash);
const source: NodeSource = async (ids) => ids.map((id) => nodes.get(`${id.level}/${id.index}`) as Uint8Array);

export const note = async (size: number): Promise<string> =>
  signCheckpoint({ origin: ORIGIN, size: BigInt(size), root: await rootAt(sha256, source, BigInt(size)) }, own, (message) =>
    sign(null, message, key),
  );

export const proofView = async (index: number): Promise<z.infer<typeof ProofView>> => {
  const path = await inclusionProof(sha256, source, BigInt(index), 8n);
  const extra = utf8(texts[index] as string);
  const checkpoint = await note(8);
  return {
    leafIndex: index.toString(),
    size: '8',
    leafHash: toHex(leafHash(sha256, extra)),
    path: path.map(toHex),
    checkpoint,
    tlogProof: formatTlogProof({ index: BigInt(index), extra, path, checkpoint }),
  };
};

export const consistencyView = async (from: number, to: number): Promise<z.infer<typeof ConsistencyView>> => ({
  from: from.toString(),
  to: to.toString(),
  path: (await consistencyProof(sha256, source, BigInt(from), BigInt(to))).map(toHex),
  fromNote: await note(from),
  toNote: await note(to),
});

export const bundle = async (from: number, to: number): Promise<ExportBundle> => ({
  origin: ORIGIN,
  verifierKey: VKEY,
  checkpoint: await note(8),
  from: from.toString(),
  to: to.toString(),
  leaves: texts.slice(from, to),
  leafHashes: texts.slice(from, to).map((text) => toHex(leafHash(sha256, utf8(text)))),
  path: (await rangeProof(source, { from: BigInt(from), to: BigInt(to), size: 8n })).map(toHex),
});
