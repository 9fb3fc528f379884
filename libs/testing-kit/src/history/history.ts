import { z } from 'zod';

const id = z.string().min(1);
const count = z.int().nonnegative();
/** Milliseconds since 1970, of the one clock of the machine on which the history was made. */
const time = z.int();

const Outcome = z.enum(['ok', 'fail', 'unknown']);

/** A delivery by a client: `ok` was acknowledged, `fail` was refused and must have done nothing, `unknown` may have been done. */
export const Operation = z.strictObject({
  client: id,
  /** What the client sent, under ids of its own that are unique over the whole history. */
  facts: z.array(z.strictObject({ fact: id, key: id })).min(1),
  invoked: time,
  ended: time.nullable(),
  outcome: Outcome,
});

const Place = z.strictObject({ topic: id, partition: count, offset: count });

/** One record of the log, as read from it. */
export const LogRecord = z.strictObject({
  ...Place.shape,
  tenant: id,
  key: id,
  id,
  type: id,
  /** Digest of type, subject and data: what must be equal when the id is. */
  content: id,
  keyVersion: count.nullable(),
  stream: id.nullable(),
  streamVersion: count.nullable(),
  /** What this record follows from, where it says so. */
  cause: Place.nullable(),
  /** The client's id of what it records; null for records that no client sent. */
  fact: id.nullable(),
  /** The lasting identity (a BSUID, keyed) that the record says belongs to `subject`. */
  identity: id.nullable(),
  subject: id.nullable(),
  recordedAt: time,
  /** Whether its envelope can be opened now; null when it holds none. */
  readable: z.boolean().nullable(),
});

/** A record of the log that is no event that anybody knows; `givenUp`: every group that needed it was told by an operator to go on. */
export const Unreadable = z.strictObject({ ...Place.shape, givenUp: z.boolean() });

/** A consumer moved its stored offset of a partition from one record to another, in one transaction. */
export const Application = z.strictObject({ service: id, topic: id, partition: count, from: count, to: count });

/** What a leased writer wrote at a position of its order, and under which epoch of the lease. */
export const LeasedWrite = z.strictObject({ scope: id, position: count, epoch: count });

/** A service did what an event asks of it. `sequence` is the order in which that service did things. */
export const Effect = z.strictObject({ service: id, cause: id, key: id, sequence: count });

/** What a service must have done once when everything is at rest. */
export const Due = z.strictObject({ service: id, cause: id });

/** From `from` to before `to` (sequence of the service) nothing of the key may take effect; `to` is null while it is parked. */
export const Parking = z.strictObject({ service: id, key: id, from: count, to: count.nullable() });

export const Reply = z.strictObject({
  sendId: id,
  /** The address that wrote what is answered. */
  answers: id,
  sendBefore: time,
  /** When the attempt was recorded on the log; null when it was not. */
  attemptedAt: time.nullable(),
});

export const ProviderCall = z.strictObject({ sendId: id, to: id, at: time });

/** A status of the provider: the sends that the platform says it is of, or whether it is itemised as belonging to none. */
export const Status = z.strictObject({ id, sends: z.array(id), itemised: z.boolean() });

/** A step of a routing domain, as its recorded events tell it. */
export const RoutingStep = z.strictObject({
  domain: id,
  position: count,
  kind: z.enum(['capacity', 'offered', 'assigned', 'released']),
  agent: id,
  task: id.nullable(),
  capacity: count.nullable(),
});

export const Decision = z.strictObject({ domain: id, position: count, recorded: id, redecided: id });

/** Where one evidence of a charge ended. */
export const Rating = z.strictObject({ evidence: id, as: z.enum(['rated', 'free', 'suspense', 'parked']) });

/** The same invoice made again under other circumstances. */
export const Invoice = z.strictObject({ invoice: id, circumstances: id, digest: id });

export const Period = z.strictObject({
  period: id,
  /** Digests of the closed period, each time it was looked at. */
  digests: z.array(id).min(1),
  /** What the closing says it includes. */
  included: z.array(id),
  /** What was put into the period, or into the next as late. */
  items: z.array(z.strictObject({ id, late: z.boolean() })),
});

export const AccessRecord = z.strictObject({ id, entries: count });
export const LedgerLeaf = z.strictObject({ record: id, kind: z.enum(['record', 'entry']) });

export const Checkpoint = z.strictObject({ ledger: id, size: count, root: id, rebuilt: z.boolean() });
/** Leaf hashes (hexadecimal) of a ledger in its recorded order. */
export const Ledger = z.strictObject({ ledger: id, leaves: z.array(z.string().regex(/^[0-9a-f]{64}$/)) });

/** A number that a source or a subject was given; they count from one without a gap. */
export const Numbered = z.strictObject({ scope: id, number: count });

export const Erasure = z.strictObject({ subject: id, at: time });
export const Reading = z.strictObject({ subject: id, at: time, readable: z.boolean() });
/** Something that only the erased person knew, found where it must not be. */
export const Canary = z.strictObject({ subject: id, where: id });

/** A row, leaf, frame or key: the tenant whose it is, and the tenant under whose name it lies. */
export const Belonging = z.strictObject({ what: id, owner: id, under: id });

export const Replay = z.strictObject({ manifest: id, digest: id });
export const Tampering = z.strictObject({ record: id, named: id.nullable() });

/** A read that carried a causal token: the version of the key that it asked for, and the one that the answer knew. */
export const TokenRead = z.strictObject({ topic: id, key: id, version: count, saw: count });

/**
 * Everything that was done to a running platform and everything that it left on its log and in its stores, in plain data, so that it
 * can be kept in a file and judged again. Sections that a scenario does not touch are empty, and judging says that nothing was looked at.
 */
export const History = z.strictObject({
  scenario: id,
  seed: z.int(),
  /** The topic on which clients' facts are recorded. */
  inboundTopic: id,
  operations: z.array(Operation).default([]),
  records: z.array(LogRecord).default([]),
  unreadable: z.array(Unreadable).default([]),
  applications: z.array(Application).default([]),
  leasedWrites: z.array(LeasedWrite).default([]),
  due: z.array(Due).default([]),
  effects: z.array(Effect).default([]),
  parkings: z.array(Parking).default([]),
  replies: z.array(Reply).default([]),
  calls: z.array(ProviderCall).default([]),
  statuses: z.array(Status).default([]),
  routing: z.array(RoutingStep).default([]),
  decisions: z.array(Decision).default([]),
  evidences: z.array(id).default([]),
  ratings: z.array(Rating).default([]),
  invoices: z.array(Invoice).default([]),
  periods: z.array(Period).default([]),
  disclosures: z.array(id).default([]),
  accessRecords: z.array(AccessRecord).default([]),
  leaves: z.array(LedgerLeaf).default([]),
  ledgers: z.array(Ledger).default([]),
  checkpoints: z.array(Checkpoint).default([]),
  numbers: z.array(Numbered).default([]),
  erasures: z.array(Erasure).default([]),
  readings: z.array(Reading).default([]),
  canaries: z.array(Canary).default([]),
  belongings: z.array(Belonging).default([]),
  replays: z.array(Replay).default([]),
  tamperings: z.array(Tampering).default([]),
  tokenReads: z.array(TokenRead).default([]),
});

export type History = z.infer<typeof History>;
export type LogRecord = z.infer<typeof LogRecord>;
export type Operation = z.infer<typeof Operation>;
