import type { IncomingMessage } from 'node:http';
import {
  ParkedKeyPage,
  ParkingProcess,
  PlatformError,
  type PlatformParkedPage,
  type PlatformParkedQuery,
  type Service,
} from '@centralita/contracts';
import { describeError, type Logger } from '@centralita/platform-nest';
import { context, propagation } from '@opentelemetry/api';
import type { z } from 'zod';
import type { GatewayConfig } from '../config.js';
import { addressOf } from '../proxy/services.js';
import { Wire, WireTimeout, type WireCall } from '../proxy/wire.js';
import type { SessionRecord } from '../session/sessions.js';
import type { CallOrigin, Tokens } from '../tokens/tokens.js';

/** A list is looked at while somebody waits for all of them. */
const LIST_SILENCE_MS = 5000;
const MOST_BYTES = 2 * 1024 * 1024;

/** Roles of ingest are one service to a token, and have an address each. */
const serviceOf: Readonly<Record<ParkingProcess, Exclude<Service, 'gateway'>>> = {
  conversation: 'conversation',
  routing: 'routing',
  billing: 'billing',
  'audit-log': 'audit-log',
  'ingest-media': 'ingest',
  'ingest-sender': 'ingest',
};

export type OperatorCall = { readonly session: SessionRecord; readonly origin: CallOrigin };
export type OperatorAnswer = { readonly status: number; readonly type: string; readonly body: string };
type Query = z.output<typeof PlatformParkedQuery>;
type Source = PlatformParkedPage['sources'][number];

const textOf = async (answer: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer) {
    bytes += (chunk as Buffer).length;
    if (bytes > MOST_BYTES) throw new Error(`more than ${MOST_BYTES} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
};

/** Parked keys of all services, each asked itself, in the name of the person who asks: what they may see and decide, the service says. */
export class ParkedKeysOfAll {
  readonly #wires: ReadonlyMap<ParkingProcess, { readonly list: Wire; readonly decide: Wire }>;

  constructor(
    config: GatewayConfig,
    private readonly tokens: Tokens,
    private readonly logger: Logger,
  ) {
    const named = new Map((config.PLATFORM_TARGETS_FILE ?? []).flatMap(({ process, api }) => (api ? [[process, api]] : [])));
    this.#wires = new Map(
      ParkingProcess.options.flatMap((process) => {
        // INGEST_URL is the process that serves media; where the sender is, only a target can say.
        const known = process === 'ingest-sender' ? undefined : addressOf(config, serviceOf[process]);
        const address = named.get(process) ?? known;
        return address ? [[process, { list: new Wire(address, LIST_SILENCE_MS), decide: new Wire(address) }] as const] : [];
      }),
    );
  }

  async list({ process, cursor, limit }: Query, call: OperatorCall): Promise<PlatformParkedPage> {
    const asked = process === undefined ? ParkingProcess.options : [process];
    const target = `/v1/operations/parked?${new URLSearchParams({ limit: String(limit), ...(process && cursor ? { cursor } : {}) }).toString()}`;
    const answers = await Promise.all(asked.map((each) => this.#page(each, target, call)));
    return {
      items: answers.flatMap(({ items }) => items).sort((one, other) => (one.since < other.since ? -1 : 1)),
      sources: answers.map(({ source }) => source),
    };
  }

  /** Passes a decision on, once. What the service answers is the answer. */
  async decide(
    process: ParkingProcess,
    key: string,
    decision: 'retry' | 'skip',
    body: unknown,
    call: OperatorCall,
  ): Promise<OperatorAnswer> {
    const wire = this.#wires.get(process)?.decide;
    if (!wire) throw new PlatformError('NOT_FOUND', `the gateway does not know where ${process} is`, { process });
    const json = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const answer = await this.#send(wire, process, call, {
      method: 'POST',
      target: `/v1/operations/parked/${encodeURIComponent(key)}/${decision}`,
      headers: json ? { 'content-type': 'application/json' } : {},
      ...(json ? { body: json } : {}),
    });
    const { actorId, tenantId } = call.session;
    this.logger.info(
      { process, parkedKey: key, decision, actor: actorId, tenant: tenantId, status: answer.status },
      'operation passed on',
    );
    return answer;
  }

  async #page(
    process: ParkingProcess,
    target: string,
    call: OperatorCall,
  ): Promise<{ readonly items: PlatformParkedPage['items']; readonly source: Source }> {
    const wire = this.#wires.get(process)?.list;
    if (!wire) return { items: [], source: { process, state: 'no_address', nextCursor: null } };
    try {
      const { status, body } = await this.#send(wire, process, call, { method: 'GET', target, headers: {} });
      if (status !== 200) throw new Error(`answered ${status}`);
      const page = ParkedKeyPage.parse(JSON.parse(body));
      return {
        items: page.items.map((item) => ({ ...item, process })),
        source: { process, state: 'ok', nextCursor: page.nextCursor },
      };
    } catch (error) {
      this.logger.warn({ process, err: describeError(error) }, 'parked keys not read');
      return { items: [], source: { process, state: 'unavailable', nextCursor: null } };
    }
  }

  async #send(wire: Wire, process: ParkingProcess, { session, origin }: OperatorCall, call: WireCall): Promise<OperatorAnswer> {
    const token = await this.tokens.forOperator(serviceOf[process], session, origin);
    const headers: Record<string, string> = { ...call.headers, authorization: `Bearer ${token}` };
    propagation.inject(context.active(), headers);
    try {
      const answer = await wire.send({ ...call, headers });
      const body = await textOf(answer);
      return { status: answer.statusCode ?? 502, type: answer.headers['content-type'] ?? 'application/json', body };
    } catch (error) {
      if (error instanceof WireTimeout)
        throw new PlatformError('TIMEOUT', 'the service took too long: look before you try again', {}, { cause: error });
      throw new PlatformError('UPSTREAM_UNAVAILABLE', 'the service does not answer', {}, { cause: error });
    }
  }
}
