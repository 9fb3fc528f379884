import { PlatformError, type ErrorCode, type Topic } from '@centralita/contracts';
import { activeTraceparent } from '@centralita/event-log';
import type { RoutingFact } from '@centralita/domain-routing';
import { causalToken, Commands, Database, type Tx } from '@centralita/event-store';
import { CONFIG, reply, type EndpointInput, type Reply } from '@centralita/platform-nest';
import { Inject, Injectable } from '@nestjs/common';
import type { RoutingConfig } from '../config.js';
import { insertInputs, resultOf, type InputResult } from './input-table.js';
import { Signals } from './signals.js';

const TOPIC: Topic = 'routing.events.v1';
/** How often to look without a signal. */
const LOOK_MS = 100;
/** The envelope's bound on causation ids. */
const MAX_CAUSATION = 80;

type Accepted = { id: string; version: string };
type Changed = { readonly id: string; readonly streamId: string; readonly table: 'agent' | 'queue' | 'policy' | 'task' };

/** Turns a request into an input of its tenant's routing domain and waits for what the writer makes of it. */
@Injectable()
export class RoutingCommands {
  constructor(
    private readonly commands: Commands,
    private readonly db: Database,
    @Inject(Signals) private readonly signals: Signals,
    @Inject(CONFIG) private readonly config: RoutingConfig,
  ) {}

  /**
   * `about` says what the command changes: its id for the client, and the stream whose version is told; a function looks it up in the
   * command's own transaction and may refuse. Throws what the writer refused, or TIMEOUT when no writer has taken the input in time:
   * then the same idempotency key asks for the result again.
   */
  async send(
    input: EndpointInput<unknown, unknown, unknown>,
    fact: RoutingFact,
    about: Changed | ((tx: Tx) => Promise<Changed>),
  ): Promise<Reply<Accepted>> {
    const { tenantId, command } = input;
    const { result, replayed } = await this.commands.run({
      tenantId,
      ...command,
      work: async (tx) => {
        const changed = typeof about === 'function' ? await about(tx) : about;
        const causationId = command.commandId.slice(0, MAX_CAUSATION);
        const origin = { causationId, correlationId: null, cause: null, traceparent: activeTraceparent() };
        const [arrival] = await insertInputs(tx, [{ inputId: `command:${command.commandId}`, fact, origin }]);
        return { changed, arrival: arrival as bigint };
      },
    });
    const { changed, arrival } = result;
    const made = await this.#wait(tenantId, arrival, replayed);
    if (made.refusal) throw new PlatformError(made.refusal.code as ErrorCode, made.refusal.reason);
    const version = made.versions[changed.streamId] ?? (await this.#versionOf(tenantId, changed.table, changed.id));
    const head = made.heads?.[changed.streamId];
    const token = head ? causalToken.encode(TOPIC, head.key, BigInt(head.version)) : undefined;
    return reply({ id: changed.id, version }, { etag: version, ...(token === undefined ? {} : { causalToken: token }) });
  }

  /** Goes on while the process drains: the writer stops only after the last request was answered. */
  async #wait(tenantId: string, arrival: bigint, takenBefore: boolean): Promise<InputResult> {
    const until = performance.now() + this.config.ROUTING_COMMAND_TIMEOUT_MS;
    for (let look = takenBefore; ; look = true) {
      // Right after the insert there is nothing to see yet.
      const result = look ? await this.db.withTenant(tenantId, (tx) => resultOf(tx, arrival)) : null;
      if (result) return result;
      if (performance.now() > until)
        throw new PlatformError('TIMEOUT', 'accepted, but not decided yet: ask again with the same idempotency key');
      await this.signals.taken(arrival, LOOK_MS);
    }
  }

  async #versionOf(tenantId: string, table: string, id: string): Promise<string> {
    const where = table === 'policy' ? '' : `and ${table}_id = $2`;
    const [row] = await this.db.withTenant(tenantId, (tx) =>
      tx.query<{ version: string }>(
        `select version from ${table} where tenant_id = $1 ${where}`,
        table === 'policy' ? [tenantId] : [tenantId, id],
      ),
    );
    return row?.version ?? '0';
  }
}
