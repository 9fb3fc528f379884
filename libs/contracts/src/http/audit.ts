import { z } from 'zod';
import { Instant, Sha256Hex, Uuid } from '../primitives.js';
import { AccessRecord } from '../events/access.js';
import { PageQuery, page, personal } from './shared.js';

/** A leaf index or tree size: up to 64 bits, in its one decimal spelling. */
const Count = z.string().regex(/^(0|[1-9]\d{0,19})$/);

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
export const AuditFindingKinds = ['source_gap', 'source_repeated', 'manifest_mismatch'] as const;
export const AuditFindingQuery = PageQuery.extend({ kind: z.enum(AuditFindingKinds).optional() });
/** What the sequencer noticed about a source while it gave its records their places. The records stand in the log all the same. */
export const AuditFinding = z.object({
  kind: z
    .enum(AuditFindingKinds)
    .describe(
      'source_gap: numbers of the source are not there; source_repeated: a number came after a higher one; ' +
        'manifest_mismatch: the manifest of a list is not the root of its subjects',
    ),
  sourceLane: Uuid,
  numberFrom: z.string().describe('first number of the source that is concerned'),
  numberTo: z.string().describe('last number, inclusive'),
  leafIndex: z.string().describe('leaf of the record at which it was noticed'),
  foundAt: Instant,
});
export type AuditFinding = z.infer<typeof AuditFinding>;
export const AuditFindingPage = page(AuditFinding);

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
 * Leaves [from, to) of one log, verbatim, with all that an offline verifier needs: a self-contained file for `centralita verify
 * export`. `leafHashes` are redundant with the leaves on purpose: they name the record that was changed, where a wrong root alone
 * could not.
 */
export const ExportBundle = z.object({
  origin: z.string(),
  verifierKey: z.string(),
  checkpoint: z.string(),
  from: Count,
  to: Count.describe('index after the last leaf'),
  leaves: personal(z.array(z.string())),
  leafHashes: z.array(Sha256Hex).describe('RFC 6962 leaf hash of each leaf'),
  path: z
    .array(Sha256Hex)
    .describe('roots of the complete subtrees left of the range, then right of it, each from left to right'),
});
export type ExportBundle = z.infer<typeof ExportBundle>;
