import {
  PlatformError,
  isPlatformError,
  type AccessRecord,
  type ReasonCode,
  type Role,
  type Service,
} from '@centralita/contracts';
import { laneId, type Database, type EventStore, type Tx } from '@centralita/event-store';
import type { Keyring } from '@centralita/keyring';
import { v7 as uuidV7 } from 'uuid';
import type { Actor } from '../auth/actor.js';
import type { RequestContext } from '../context.js';
import type { DisclosureOptions } from '../endpoint/result.js';
import type { AccessEventType, Audited } from '../endpoint/route.js';
import { describeError, type Logger } from '../logger.js';
import type { Metrics } from '../metrics.js';
import type { Clock } from '../tokens.js';
import { manifestOf, sortedCommitments } from './merkle.js';

/** The reason that follows from the role when a route does not say a better one; the sequencer checks it against routing. */
const reasonOfRole = {
  agent: 'ASSIGNED_CONVERSATION',
  supervisor: 'SUPERVISION_QA',
  compliance: 'SUBJECT_REQUEST',
  billing: 'BILLING_DISPUTE',
  platform: 'SYSTEM_OPERATION',
} as const satisfies Record<Role, ReasonCode>;

/** Version of the rule that lets a role in; goes up when its meaning changes. */
const POLICY = { rule: 'roles-of-route', version: 1 } as const;

export type AccessRecorderOptions = {
  readonly service: Service;
  readonly db: Database;
  readonly store: EventStore;
  /** Null for services without customer data: they may record looks that show no subject. */
  readonly keyring: Keyring | null;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics?: Pick<Metrics, 'accessRecords' | 'accessFailures'>;
  /** Age of the oldest event that is committed but not on the log, in seconds. */
  readonly outboxAge?: () => Promise<number> | number;
  /** Above this age nothing is disclosed: an auditor could not see it. Default 60. */
  readonly maxOutboxAgeSeconds?: number;
  /** Bound on the whole recording. Default 3000. */
  readonly timeoutMs?: number;
};

type Look = Pick<RequestContext, 'address' | 'userAgent'> & { readonly actor: Actor };

/**
 * No record, no read (correctness 9). A record is committed in the owner's event store when it is known what will be shown, and before
 * the first byte leaves. When that fails the answer is AUDIT_UNAVAILABLE, never the data.
 */
export class AccessRecorder {
  readonly #options: AccessRecorderOptions;
  #next = 0;

  constructor(options: AccessRecorderOptions) {
    this.#options = options;
  }

  /** Records a disclosure and gives the id of its record, for the header `x-access-record`. */
  async disclosed(audited: Audited, shown: Omit<DisclosureOptions<unknown>, 'body'>, look: Look): Promise<string> {
    return this.#bounded(async () => {
      await this.#refuseWhenUnpublished();
      const { subjects, text } = await this.#commit(look.actor.tenantId, shown);
      return this.#append(audited.event ?? 'customer.data.accessed.v1', look, {
        outcome: 'disclosed',
        action: audited.action,
        resource: shown.resource ?? { type: audited.resource, id: 'list' },
        fields: [...new Set(shown.fields)].sort(),
        resultCount: shown.resultCount,
        subjects,
        manifest: (shown.list ?? shown.subjects.length > 1) ? manifestOf(subjects) : null,
        reason: { code: shown.reason?.code ?? reasonOfRole[look.actor.role], reference: shown.reason?.reference ?? null, text },
      });
    });
  }

  /** Records that somebody asked and was refused. */
  async denied(
    what: { readonly action: string; readonly resource: { readonly type: string; readonly id: string } },
    look: Look,
  ): Promise<string> {
    return this.#bounded(() =>
      this.#append('customer.data.denied.v1', look, {
        outcome: 'denied',
        action: what.action,
        resource: what.resource,
        fields: [],
        resultCount: 0,
        subjects: [],
        manifest: null,
        reason: { code: reasonOfRole[look.actor.role], reference: null, text: null },
      }),
    );
  }

  async #refuseWhenUnpublished(): Promise<void> {
    const { outboxAge, maxOutboxAgeSeconds = 60 } = this.#options;
    if (!outboxAge) return;
    const age = await outboxAge();
    if (age > maxOutboxAgeSeconds)
      throw new PlatformError('AUDIT_UNAVAILABLE', 'access records are not being published', {
        outboxAgeSeconds: Math.round(age),
      });
  }

  /** Commitments can only be made while the key lives, so the reader makes them. Erased subjects show nothing and get no record. */
  async #commit(
    tenantId: string,
    shown: Omit<DisclosureOptions<unknown>, 'body'>,
  ): Promise<{ subjects: string[]; text: string | null }> {
    const { keyring } = this.#options;
    const reason = shown.reason?.text;
    if (shown.subjects.length === 0 && reason === undefined) return { subjects: [], text: null };
    if (!keyring) throw new PlatformError('AUDIT_UNAVAILABLE', 'this service has no keyring to commit to subjects');
    const keys = await keyring.sealer(tenantId, [...new Set(shown.subjects)]);
    const living = [...new Set(shown.subjects)].filter((subject) => keys.state(subject) !== 'destroyed');
    const [only] = living;
    const text =
      reason === undefined
        ? null
        : only !== undefined && living.length === 1
          ? keys.fieldCommitment(only, 'reason', reason)
          : await keyring.tenantCommitment(tenantId, 'reason', reason);
    return { subjects: sortedCommitments(living.map((subject) => keys.commitment(subject))), text };
  }

  async #append(
    type: AccessEventType | 'customer.data.denied.v1',
    look: Look,
    record: Omit<AccessRecord, 'recordId' | 'occurredAt' | 'service' | 'actor' | 'policy' | 'source'>,
  ): Promise<string> {
    const { service, db, store, keyring, clock, metrics } = this.#options;
    const { actor } = look;
    const now = clock();
    const recordId = uuidV7({ msecs: now.getTime() });
    const lane = laneId(actor.tenantId, service, this.#next++);
    const ip = look.address !== null && keyring ? await keyring.tenantCommitment(actor.tenantId, 'ip', look.address) : null;
    const data: AccessRecord = {
      ...record,
      recordId,
      occurredAt: now.toISOString(),
      service,
      actor: { id: actor.id, role: actor.role, session: actor.session },
      policy: POLICY,
      source: { ip, userAgent: look.userAgent },
    };
    await db.withTenant(actor.tenantId, (tx: Tx) =>
      store.append(tx, 'access.events.v1', [
        { key: lane, streamId: lane, expectedVersion: 'any', type, data, id: recordId, time: now },
      ]),
    );
    metrics?.accessRecords.inc({ outcome: record.outcome });
    return recordId;
  }

  async #bounded(work: () => Promise<string>): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new PlatformError('TIMEOUT', 'recording the access took too long')),
        this.#options.timeoutMs ?? 3000,
      );
    });
    try {
      return await Promise.race([work(), late]);
    } catch (error) {
      this.#options.metrics?.accessFailures.inc();
      this.#options.logger.error({ err: describeError(error) }, 'access could not be recorded; the answer is withheld');
      if (isPlatformError(error, 'AUDIT_UNAVAILABLE')) throw error;
      throw new PlatformError('AUDIT_UNAVAILABLE', 'the access could not be recorded, so nothing is shown', {}, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }
}
