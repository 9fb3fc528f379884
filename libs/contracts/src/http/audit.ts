import { z } from 'zod';
import { Instant, Sha256Hex, Uuid } from '../primitives.js';
import { AccessRecord } from '../events/access.js';
import { PageQuery, page, personal } from './shared.js';

/** Leaf of the tenant's access ledger: canonical JSON, commitments only. */
export const Leaf = AccessRecord.omit({ subjects: true }).extend({
  v: z.literal(1),
  tenant: Uuid,
  kind: z.enum(['record', 'subject', 'erasure']),
  subject: z.string().nullable().describe('commitment of the one subject of this leaf; null on the record leaf of a list'),
  subjectSeq: z.number().int().nullable().describe('1, 2, 3 … per subject'),
  subjectPrev: z.string().nullable().describe('leaf index of the previous leaf of the subject'),
  verified: z.enum(['confirmed', 'unverifiable', 'contradicted']),
  basis: z.array(Uuid).describe('events that confirm or contradict the reason'),
  sourceLane: Uuid,
  sourceNumber: z.string(),
});
export type Leaf = z.infer<typeof Leaf>;

export const AccessQuery = PageQuery.extend({
  subject: Uuid.optional(),
  actor: Uuid.optional(),
  action: z.string().max(64).optional(),
  outcome: z.enum(['disclosed', 'denied']).optional(),
  from: Instant.optional(),
  to: Instant.optional(),
});

export const AccessRow = z.object({ leafIndex: z.string(), leafHash: Sha256Hex, sequencedAt: Instant, leaf: personal(Leaf) });
export type AccessRow = z.infer<typeof AccessRow>;
export const AccessPage = page(AccessRow).extend({
  complete: z
    .object({
      state: z.enum(['complete', 'gap', 'not_a_subject']),
      expected: z.number().int().nullable(),
      found: z.number().int(),
    })
    .describe('for a subject: are the numbers 1..n all there'),
});

export const RecordDetail = AccessRow.extend({ leafText: personal(z.string()).describe('the canonical bytes that were hashed') });
export const CheckpointView = z.object({
  origin: z.string(),
  size: z.string(),
  root: Sha256Hex,
  note: z.string(),
  publishedAt: Instant,
  verifierKey: z.string(),
});
export type CheckpointView = z.infer<typeof CheckpointView>;
export const ProofView = z.object({
  leafIndex: z.string(),
  size: z.string(),
  leafHash: Sha256Hex,
  path: z.array(Sha256Hex),
  checkpoint: z.string(),
  tlogProof: z.string().describe('c2sp.org/tlog-proof@v1 file'),
});
export type ProofView = z.infer<typeof ProofView>;
export const ConsistencyView = z.object({
  from: z.string(),
  to: z.string(),
  path: z.array(Sha256Hex),
  fromNote: z.string(),
  toNote: z.string(),
});
export const SubjectLookupBody = z
  .object({
    phone: z
      .string()
      .regex(/^\+?\d{6,18}$/)
      .optional(),
    bsuid: z.string().max(160).optional(),
  })
  .refine((b) => Boolean(b.phone) !== Boolean(b.bsuid), { message: 'give either phone or bsuid' });
export const SubjectLookup = z.object({ subjectId: personal(Uuid) });
/**
 * A self-contained bundle for `centralita verify export`: leaves [from, to) verbatim with their hashes, the checkpoint over them, the
 * verifier key, and the roots of the subtrees to the left and then to the right of the range.
 */
export const ExportBundle = z.object({
  origin: z.string(),
  verifierKey: z.string(),
  checkpoint: z.string(),
  from: z.string(),
  to: z.string(),
  leaves: personal(z.array(z.string())),
  leafHashes: z.array(Sha256Hex).describe('so that a changed leaf can be named'),
  path: z.array(Sha256Hex),
});
