import {
  AccessPage,
  AccessQuery,
  AuditFindingPage,
  AuditFindingQuery,
  CheckpointView,
  ConsistencyView,
  ExportBundle,
  isPlatformError,
  PlatformError,
  ProofView,
  RecordDetail,
} from '@centralita/contracts';
import { consistencyProof, formatTlogProof, inclusionProof, rangeProof, toHex, utf8, originOf } from '@centralita/domain-ledger';
import { Database } from '@centralita/event-store';
import { Keyring } from '@centralita/keyring';
import { disclosure, Endpoint, route, type InputOf, type OutputOf } from '@centralita/platform-nest';
import { Controller } from '@nestjs/common';
import { z } from 'zod';
import { nodesOf } from '../sequence/tree-store.js';
import { sha256, Signer } from '../signing/signer.js';
import { findingPage } from './findings.js';
import { accessRow, checkpointView, readCheckpoint, readLeaf, readLeaves } from './rows.js';
import { searchLeaves } from './search.js';

const roles = ['compliance'] as const;
const event = 'audit.log.read.v1' as const;
/** Leaf indices and tree sizes; bigint columns end before 64 bits do. */
const Index = z.string().regex(/^(0|[1-9]\d{0,17})$/, 'must be a whole number');
const LeafParams = z.object({ leaf: Index });
/** A larger export is asked for in pieces, which `centralita verify fsck` puts together again. */
const LONGEST_EXPORT = 10_000n;

const search = route({
  method: 'GET',
  path: '/v1/access-records',
  summary:
    'Who looked at customer data, by customer, actor, action and time; for a customer also whether the history is complete.',
  roles,
  query: AccessQuery,
  response: AccessPage,
  audited: { action: 'audit.records.search', resource: 'access_log', event },
});
const one = route({
  method: 'GET',
  path: '/v1/records/:leaf',
  summary: 'One record of the ledger, with the bytes that were hashed.',
  roles,
  params: LeafParams,
  response: RecordDetail,
  audited: { action: 'audit.record.read', resource: 'record', event },
});
const proof = route({
  method: 'GET',
  path: '/v1/records/:leaf/proof',
  summary: 'Proof that the record is in the log under the newest checkpoint; verifiable offline.',
  roles,
  params: LeafParams,
  response: ProofView,
  audited: { action: 'audit.proof.read', resource: 'record', event },
});
const newest = route({
  method: 'GET',
  path: '/v1/checkpoint',
  summary: 'The newest signed checkpoint.',
  roles,
  response: CheckpointView,
  audited: { action: 'audit.checkpoint.read', resource: 'checkpoint', event },
});
const bySize = route({
  method: 'GET',
  path: '/v1/checkpoints/:size',
  summary: 'The checkpoint that was signed at this size.',
  roles,
  params: z.object({ size: Index }),
  response: CheckpointView,
  audited: { action: 'audit.checkpoint.read', resource: 'checkpoint', event },
});
const consistency = route({
  method: 'GET',
  path: '/v1/consistency',
  summary: 'Proof that the newer of two checkpoints only adds to the older one.',
  roles,
  query: z.object({ from: Index, to: Index }).refine(({ from, to }) => BigInt(from) <= BigInt(to), {
    path: ['from'],
    message: 'must not be above to',
  }),
  response: ConsistencyView,
  audited: { action: 'audit.consistency.read', resource: 'checkpoint', event },
});
const keys = route({
  method: 'GET',
  path: '/v1/keys',
  summary: 'Keys that sign the checkpoints of this log.',
  roles,
  response: z.object({ items: z.array(z.object({ verifierKey: z.string() })) }),
  audited: { action: 'audit.keys.read', resource: 'keys', event },
});
const exported = route({
  method: 'GET',
  path: '/v1/exports',
  summary: 'Leaves [from, to) verbatim, with all that an offline verifier needs.',
  roles,
  query: z.object({ from: Index.default('0'), to: Index.optional() }),
  response: ExportBundle,
  audited: { action: 'audit.export.read', resource: 'export', event },
});

const findings = route({
  method: 'GET',
  path: '/v1/audit/findings',
  summary: 'Holes and contradictions in what the sources sent, newest first.',
  roles,
  query: AuditFindingQuery,
  response: AuditFindingPage,
  audited: { action: 'audit.findings.read', resource: 'finding', event },
});

/** Reads of the ledger. Each of them is itself a record in it. */
@Controller()
export class AuditController {
  constructor(
    private readonly db: Database,
    private readonly keyring: Keyring,
    private readonly signer: Signer,
  ) {}

  @Endpoint(search)
  async search({ tenantId, query }: InputOf<typeof search>): Promise<OutputOf<typeof search>> {
    const subject = query.subject === undefined ? null : await this.#commitment(tenantId, query.subject);
    const body = await this.db.withTenant(tenantId, (tx) => searchLeaves(tx, query, subject));
    return disclosure({
      body,
      subjects: subject === null || query.subject === undefined ? [] : [query.subject],
      fields: ['access_record'],
      resultCount: body.items.length,
    });
  }

  @Endpoint(one)
  async one({ tenantId, params }: InputOf<typeof one>): Promise<OutputOf<typeof one>> {
    const row = await this.db.withTenant(tenantId, (tx) => readLeaf(tx, params.leaf));
    return disclosure({
      body: { ...accessRow(row), leafText: row.leaf_text },
      subjects: [],
      fields: ['access_record'],
      resultCount: 1,
      resource: { type: 'record', id: params.leaf },
    });
  }

  @Endpoint(proof)
  async proof({ tenantId, params }: InputOf<typeof proof>): Promise<OutputOf<typeof proof>> {
    const index = BigInt(params.leaf);
    const body = await this.db.withTenant(tenantId, async (tx) => {
      const row = await readLeaf(tx, params.leaf);
      const checkpoint = await readCheckpoint(tx).catch((error: unknown) => {
        if (isPlatformError(error, 'NOT_FOUND')) return null;
        throw error;
      });
      if (!checkpoint || index >= checkpoint.size)
        throw new PlatformError('CAUSE_NOT_SEEN', 'no checkpoint covers this record yet; ask again in a second');
      const path = await inclusionProof(sha256, nodesOf(tx), index, checkpoint.size);
      return {
        leafIndex: params.leaf,
        size: checkpoint.size.toString(),
        leafHash: toHex(row.leaf_hash),
        path: path.map(toHex),
        checkpoint: checkpoint.note,
        tlogProof: formatTlogProof({ index, extra: utf8(row.leaf_text), path, checkpoint: checkpoint.note }),
      };
    });
    return disclosure({
      body,
      subjects: [],
      fields: ['access_record'],
      resultCount: 1,
      resource: { type: 'record', id: params.leaf },
    });
  }

  @Endpoint(newest)
  async newest({ tenantId }: InputOf<typeof newest>): Promise<OutputOf<typeof newest>> {
    return this.#checkpoint(tenantId);
  }

  @Endpoint(bySize)
  async bySize({ tenantId, params }: InputOf<typeof bySize>): Promise<OutputOf<typeof bySize>> {
    return this.#checkpoint(tenantId, params.size);
  }

  @Endpoint(consistency)
  async consistency({ tenantId, query }: InputOf<typeof consistency>): Promise<OutputOf<typeof consistency>> {
    const body = await this.db.withTenant(tenantId, async (tx) => {
      const older = await readCheckpoint(tx, query.from);
      const newer = await readCheckpoint(tx, query.to);
      const path = await consistencyProof(sha256, nodesOf(tx), older.size, newer.size);
      return { ...query, path: path.map(toHex), fromNote: older.note, toNote: newer.note };
    });
    return this.#ofLog(body, `${query.from}-${query.to}`);
  }

  @Endpoint(keys)
  async keys({ tenantId }: InputOf<typeof keys>): Promise<OutputOf<typeof keys>> {
    return this.#ofLog({ items: [{ verifierKey: this.signer.verifierKey(tenantId) }] }, 'list');
  }

  @Endpoint(exported)
  async exported({ tenantId, query }: InputOf<typeof exported>): Promise<OutputOf<typeof exported>> {
    const body = await this.db.withTenant(tenantId, async (tx) => {
      const checkpoint = await readCheckpoint(tx);
      const { size } = checkpoint;
      const from = BigInt(query.from);
      const to = query.to === undefined ? (from + LONGEST_EXPORT < size ? from + LONGEST_EXPORT : size) : BigInt(query.to);
      if (from > to || to > size || to - from > LONGEST_EXPORT)
        throw new PlatformError('VALIDATION_FAILED', 'one field is not valid', {
          errors: [{ path: 'query.to', message: `must be from ${from} to ${size}, and at most ${LONGEST_EXPORT} leaves away` }],
        });
      const leaves = await readLeaves(tx, from, to);
      const path = await rangeProof(nodesOf(tx), { from, to, size });
      return {
        origin: originOf(tenantId),
        verifierKey: this.signer.verifierKey(tenantId),
        checkpoint: checkpoint.note,
        from: from.toString(),
        to: to.toString(),
        leaves: leaves.map((row) => row.leaf_text),
        leafHashes: leaves.map((row) => toHex(row.leaf_hash)),
        path: path.map(toHex),
      };
    });
    return disclosure({
      body,
      subjects: [],
      fields: ['access_record'],
      resultCount: body.leaves.length,
      resource: { type: 'export', id: `${body.from}-${body.to}` },
    });
  }

  @Endpoint(findings)
  async findings({ tenantId, query }: InputOf<typeof findings>): Promise<OutputOf<typeof findings>> {
    const body = await this.db.withTenant(tenantId, (tx) => findingPage(tx, query));
    return disclosure({
      body,
      subjects: [],
      fields: [],
      resultCount: body.items.length,
      resource: { type: 'finding', id: 'list' },
    });
  }

  async #checkpoint(tenantId: string, size?: string): Promise<OutputOf<typeof newest>> {
    const checkpoint = await this.db.withTenant(tenantId, (tx) => readCheckpoint(tx, size));
    const body = checkpointView(tenantId, this.signer.verifierKey(tenantId), checkpoint);
    return this.#ofLog(body, body.size);
  }

  /** Says something about the log and nothing about any customer; it is recorded all the same. */
  #ofLog<Body>(body: Body, id: string): ReturnType<typeof disclosure<Body>> {
    return disclosure({ body, subjects: [], fields: [], resultCount: 1, resource: { type: 'checkpoint', id } });
  }

  /** Commitment under which the customer's records stand. Null when there is no such customer; ERASED when the key is destroyed. */
  async #commitment(tenantId: string, subject: string): Promise<string | null> {
    const subjectKeys = await this.keyring.sealer(tenantId, [subject]);
    try {
      return subjectKeys.commitment(subject);
    } catch (error) {
      // Nobody by this id, or one of another tenant: the same empty answer.
      if (isPlatformError(error, 'KEY_UNAVAILABLE')) return null;
      throw error;
    }
  }
}
