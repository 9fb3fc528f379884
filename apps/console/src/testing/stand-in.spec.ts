import { fileURLToPath } from 'node:url';
import { PassThrough } from 'node:stream';
import fastifyStatic from '@fastify/static';
import {
  Accepted,
  ConversationDetail,
  ReplyBody,
  Revealed,
  SkipBody,
  SubjectLookup,
  TransferBody,
  type InboxRow,
  type Me,
  type ParkedOutcome,
  type PlatformOverview,
  type PlatformParkedPage,
  type Problem,
  type Session,
  type ThreadItem,
} from '@centralita/contracts';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import * as billing from './billing-world.spec.js';
import * as ledger from './ledger-world.spec.js';
import * as platform from './platform-world.spec.js';
import * as world from './world.spec.js';

const dist = fileURLToPath(new URL('../../dist', import.meta.url));
/** As the gateway sends it: what it forbids must not be needed. */
const contentSecurityPolicy =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAoAAAAICAIAAABPmPnhAAAAFUlEQVR4nGNkYPjPgBswMuABo9IYAAB7CQIJ3yUZ0AAAAABJRU5ErkJggg==',
  'base64',
);

type Command = { readonly path: string; readonly body: unknown; readonly key: string; readonly ifMatch: string | undefined };

/** What the gateway and the services answer, from memory. Tests change `state` and look at `commands` and `opened`. */
export type StandIn = {
  readonly url: string;
  readonly state: {
    session: Session | null;
    offers: Me['offers'];
    tasks: Me['tasks'];
    rows: InboxRow[];
    details: ConversationDetail[];
    threads: Map<string, ThreadItem[]>;
    refuse: Map<string, Problem>;
    gap: number | null;
    tampered: boolean;
    image: Buffer;
    overview: PlatformOverview;
    parked: PlatformParkedPage;
    now: number;
  };
  readonly commands: Command[];
  readonly opened: string[];
  pointer(service: string, type: string, streamId: string): void;
  /** Something of the service may never be told. */
  liveGap(service: string): void;
  /** Signs everybody out and ends the streams, as the gateway does when a session ends. */
  endSessions(): void;
  close(): Promise<void>;
};

export const problem = (status: number, code: string): Problem => ({
  type: `urn:centralita:problem:${code.toLowerCase().replaceAll('_', '-')}`,
  title: code,
  status,
  code,
  detail: code,
  retryable: false,
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
});

const seed = (): StandIn['state'] => ({
  session: null,
  offers: [],
  tasks: [],
  rows: structuredClone(world.rows),
  details: structuredClone(world.details),
  threads: new Map(world.rows.map((row, position) => [row.conversationId, world.threadOf(position + 1)])),
  refuse: new Map(),
  gap: null,
  tampered: false,
  image: PIXEL,
  overview: platform.healthy(),
  parked: platform.parked([]),
  now: world.NOW,
});

export const startStandIn = async (): Promise<StandIn & { reset(): void }> => {
  const app: FastifyInstance = Fastify();
  const state = seed();
  const commands: Command[] = [];
  const opened: string[] = [];
  const streams = new Set<PassThrough>();
  const send = (text: string): void => streams.forEach((stream) => stream.write(text));
  const pointer: StandIn['pointer'] = (service, type, streamId) => {
    const data = { service, id: world.uuid(77), type, streamId, version: '9', at: world.at(0) };
    send(`id: c2\nevent: pointer\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const heartbeat = setInterval(() => send('id: c1\nevent: heartbeat\ndata: {}\n\n'), 2000);
  const refused = (reply: FastifyReply, refusal: Problem): FastifyReply =>
    reply.code(refusal.status).header('content-type', 'application/problem+json').send(refusal);

  app.addHook('onRequest', async (request, reply) => {
    reply.header('content-security-policy', contentSecurityPolicy);
    const path = request.url.split('?')[0] ?? '';
    if (!path.startsWith('/api/')) return;
    if (!state.session) return refused(reply, problem(401, 'UNAUTHENTICATED'));
    if (path !== '/api/live' && request.headers['x-centralita'] !== '1') return refused(reply, problem(403, 'FORBIDDEN'));
    opened.push(path);
    const refusal = state.refuse.get(`${request.method} ${path}`);
    if (refusal) return refused(reply, refusal);
    return undefined;
  });

  app.get('/api/session', () => state.session);
  app.get('/api/live', (request, reply) => {
    const stream = new PassThrough();
    streams.add(stream);
    request.raw.on('close', () => streams.delete(stream));
    stream.write('id: c0\nevent: heartbeat\ndata: {}\n\n');
    return reply.header('content-type', 'text/event-stream').send(stream);
  });
  app.post('/auth/logout', (_request, reply) => {
    const refusal = state.refuse.get('POST /auth/logout');
    return refusal ? refused(reply, refusal) : reply.send({ redirect: null });
  });

  const detailOf = (id: string): ConversationDetail | undefined => state.details.find((each) => each.conversationId === id);
  app.get('/api/v1/me', () => ({ ...world.meOf(state.offers, state.tasks), serverTime: new Date(state.now).toISOString() }));
  app.get('/api/v1/agents', () => world.agents);
  app.get('/api/v1/queues', () => world.queues);
  app.get('/api/v1/templates', () => ({ items: world.templates }));
  app.get('/api/v1/dispositions', () => ({ items: world.dispositions }));
  app.get<{ Params: { id: string } }>('/api/v1/decisions/:id', () => world.decisions);
  app.get<{ Querystring: { cursor?: string } }>('/api/v1/inbox', ({ query }) =>
    query.cursor === 'more'
      ? { items: state.rows.slice(7), nextCursor: null }
      : { items: state.rows.slice(0, 7), nextCursor: state.rows.length > 7 ? 'more' : null },
  );
  app.get<{ Params: { id: string } }>('/api/v1/conversations/:id', ({ params }, reply) => {
    const detail = detailOf(params.id);
    return detail
      ? reply.header('etag', `"${detail.replyVersion}"`).send(ConversationDetail.parse(detail))
      : refused(reply, problem(404, 'NOT_FOUND'));
  });
  app.get<{ Params: { id: string } }>('/api/v1/conversations/:id/messages', ({ params }) => ({
    items: state.threads.get(params.id) ?? [],
    nextCursor: null,
  }));
  app.get('/api/v1/media/:id', (_request, reply) => reply.header('content-type', 'image/png').send(state.image));

  app.get<{ Querystring: { subject?: string } }>('/api/v1/access-records', ({ query }) =>
    ledger.accessPage(state.gap, query.subject !== undefined),
  );
  app.get('/api/v1/audit/findings', () => ledger.findings());
  app.post('/api/v1/subjects/lookup', (_request, reply) => reply.send(SubjectLookup.parse({ subjectId: ledger.SUBJECT })));
  app.get<{ Params: { leaf: string } }>('/api/v1/records/:leaf', ({ params }) =>
    state.tampered ? ledger.tampered(Number(params.leaf)) : ledger.record(Number(params.leaf)),
  );
  app.get<{ Params: { leaf: string } }>('/api/v1/records/:leaf/proof', ({ params }) => ledger.proof(Number(params.leaf)));
  app.get('/api/v1/keys', () => ({ items: [{ verifierKey: ledger.VERIFIER_KEY }] }));

  app.get('/api/v1/statements', () => billing.statements);
  app.get('/api/v1/statements/:waba/:month', () => billing.statement);
  app.get<{ Params: { line: string } }>('/api/v1/statements/:waba/:month/lines/:line/usage', ({ params }) =>
    billing.usage(params.line),
  );

  app.get('/api/v1/platform/overview', () => state.overview);
  app.get<{ Querystring: { process?: string } }>('/api/v1/platform/parked', ({ query: { process } }) =>
    process === undefined
      ? state.parked
      : {
          items: state.parked.items.filter((item) => item.process === process),
          sources: state.parked.sources
            .filter((source) => source.process === process)
            .map((source) => ({ ...source, nextCursor: null })),
        },
  );

  const note = (request: FastifyRequest): void => {
    commands.push({
      path: request.url.replace('/api/v1', ''),
      body: request.body,
      key: String(request.headers['idempotency-key']),
      ifMatch: request.headers['if-match'],
    });
  };
  const accepted = (id = world.uuid(99), version = '8'): Accepted => Accepted.parse({ id, version });
  app.post<{ Params: { id: string } }>('/api/v1/conversations/:id/replies', (request, reply) => {
    note(request);
    const detail = detailOf(request.params.id);
    const body = ReplyBody.parse(request.body);
    if (!detail) return refused(reply, problem(404, 'NOT_FOUND'));
    if (request.headers['if-match'] !== detail.replyVersion) return refused(reply, problem(412, 'VERSION_CONFLICT'));
    const id = crypto.randomUUID();
    const text = body.kind === 'text' ? body.text : `[${body.template}] ${body.values.join(', ')}`;
    const item = world.item({
      id,
      kind: 'reply',
      at: new Date(state.now).toISOString(),
      text,
      agentId: world.ME,
      status: 'sent',
    });
    state.threads.set(detail.conversationId, [item, ...(state.threads.get(detail.conversationId) ?? [])]);
    detail.replyVersion = `${detail.replyVersion}.1`;
    pointer('conversation', 'conversation.reply.requested.v1', detail.conversationId);
    return reply.code(202).header('etag', `"${detail.replyVersion}"`).send(accepted(id, detail.replyVersion));
  });
  app.post('/api/v1/conversations/:id/reveal', (request) => {
    note(request);
    return Revealed.parse({ phone: '+34 600 123 821', bsuid: null, expiresAt: new Date(state.now + 300_000).toISOString() });
  });
  app.post('/api/v1/conversations/:id/transfer', (request) => {
    note(request);
    TransferBody.parse(request.body);
    return accepted();
  });
  for (const path of ['conversations/:id/notes', 'conversations/:id/close', 'conversations/:id/read', 'tasks/:id/complete'])
    app.post(`/api/v1/${path}`, (request) => {
      note(request);
      return accepted();
    });
  app.post<{ Params: { id: string; verb: string } }>('/api/v1/offers/:id/:verb', (request) => {
    note(request);
    state.offers = state.offers.filter(({ reservationId }) => reservationId !== request.params.id);
    return accepted();
  });
  // The first retry fails as before; whoever gives the record up frees the key.
  app.post<{ Params: { process: string; key: string; verb: string } }>(
    '/api/v1/platform/parked/:process/:key/:verb',
    (request) => {
      note(request);
      const { process, key, verb } = request.params;
      if (verb === 'retry') return { key, group: process, applied: 0, blocked: 'RECORD_INVALID' } satisfies ParkedOutcome;
      SkipBody.parse(request.body);
      state.parked = platform.parked(state.parked.items.filter((item) => item.key !== key));
      state.overview = platform.healthy();
      return { key, group: process, applied: 2, blocked: null } satisfies ParkedOutcome;
    },
  );
  app.put('/api/v1/me/presence', (request) => {
    note(request);
    return accepted();
  });

  await app.register(fastifyStatic, { root: dist, wildcard: false });
  app.setNotFoundHandler((request, reply) =>
    request.url.startsWith('/api/') ? refused(reply, problem(404, 'NOT_FOUND')) : reply.sendFile('index.html'),
  );
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    url,
    state,
    commands,
    opened,
    pointer,
    liveGap: (service) => send(`id: c3\nevent: gap\ndata: ${JSON.stringify({ service })}\n\n`),
    endSessions: () => {
      state.session = null;
      streams.forEach((stream) => stream.end());
    },
    reset: () => {
      Object.assign(state, seed());
      commands.length = 0;
      opened.length = 0;
    },
    close: async () => {
      clearInterval(heartbeat);
      streams.forEach((stream) => stream.end());
      await app.close();
    },
  };
};
