import { describe, expect, it, afterEach } from '@jest/globals';
import Fastify, { type FastifyInstance } from 'fastify';
import { createSecretKey } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { userOfWamid, verifySignature } from '@centralita/whatsapp';
import { createSimulator } from './server.js';
import type { App } from './world.js';

const app: App = {
  app: 'hotel',
  tenantId: '0190b7c0-0000-7000-8000-000000000001',
  verifyToken: 'verify',
  secrets: { current: 'a secret of the app' },
  accessToken: 'token',
  numbers: [
    {
      phoneNumberId: '1001',
      displayPhoneNumber: '34911000001',
      wabaId: '501',
      timeZone: 'Europe/Madrid',
      currency: 'USD',
      name: 'Bookings',
    },
  ],
};
const customer = {
  id: 'c1',
  phone: '34600000001',
  bsuid: null,
  name: 'Ñandú 🌵',
  username: null,
  country: 'ES',
  language: 'es',
  statusPlan: 'read_only',
};

type Post = {
  verified: boolean;
  body: { entry: { changes: { value: { statuses?: { id: string; status: string; pricing?: { type: string } }[] } }[] }[] };
};

describe('the simulator', () => {
  const open: FastifyInstance[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((server) => server.close()));
  });

  const start = async (answers: number[] = [], redeliveries = 0): Promise<{ simulator: FastifyInstance; posts: Post[] }> => {
    const posts: Post[] = [];
    const receiver = Fastify();
    receiver.removeAllContentTypeParsers();
    receiver.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    receiver.post('/hooks/:app', async (request, reply) => {
      const body = request.body as Buffer;
      posts.push({
        verified:
          verifySignature(body, request.headers['x-hub-signature-256'], {
            current: createSecretKey(app.secrets.current, 'utf8'),
          }) === 'current',
        body: JSON.parse(body.toString('utf8')) as Post['body'],
      });
      return reply.status(answers.shift() ?? 200).send();
    });
    const webhookUrl = await receiver.listen({ host: '127.0.0.1', port: 0 });
    const simulator = createSimulator({
      apps: [app],
      webhookUrl: `${webhookUrl}/hooks`,
      seed: 7,
      freeTier: 1,
      duplicatePercent: 0,
      redeliveries,
      redeliveredWithinMs: 20,
    });
    open.push(simulator, receiver);
    await simulator.inject({ method: 'POST', url: '/control/world', payload: { customers: [customer] } });
    return { simulator, posts };
  };

  const write = (simulator: FastifyInstance, text: string) =>
    simulator.inject({
      method: 'POST',
      url: '/control/messages',
      payload: { phoneNumberId: '1001', messages: [{ customerId: 'c1', type: 'text', text }] },
    });
  const send = (simulator: FastifyInstance) =>
    simulator.inject({
      method: 'POST',
      url: '/v25.0/1001/messages',
      headers: { authorization: 'Bearer token' },
      payload: {
        messaging_product: 'whatsapp',
        to: '34600000001',
        type: 'text',
        text: { body: 'Hola' },
        biz_opaque_callback_data: 's1',
      },
    });

  it('signs the bytes that it sends, accents and emoji escaped, and tries again until 200', async () => {
    const { simulator, posts } = await start([503, 500]);
    const answer = await write(simulator, '¿Qué tal? 🌵');
    expect(answer.json()).toMatchObject({ status: 200 });
    expect(posts.map((post) => post.verified)).toEqual([true, true, true]);
  });

  it('delivers every webhook again after its answer, as often as it is told, and says that it is not done before', async () => {
    const { simulator, posts } = await start([], 2);
    const pending = async (): Promise<number> =>
      (await simulator.inject('/control/pending')).json<{ webhooks: number }>().webhooks;
    await write(simulator, 'hola');
    await write(simulator, 'adiós');
    expect(await pending()).toBeGreaterThan(0);
    while ((await pending()) > 0) await setImmediate();
    expect(posts).toHaveLength(6);
    expect(Map.groupBy(posts, ({ body }) => JSON.stringify(body)).size).toBe(2);
  });

  it('asks again when a receiver of raw requests cannot work', async () => {
    const { simulator } = await start([503, 401]);
    const answer = await simulator.inject({
      method: 'POST',
      url: '/control/raw',
      payload: { app: 'hotel', body: '{}', signature: 'valid' },
    });
    expect(answer.json()).toEqual({ status: 401 });
  });

  it('makes wamids that embed the identifier', async () => {
    const { simulator } = await start();
    const { wamids } = (await write(simulator, 'hola')).json<{ wamids: string[] }>();
    expect(userOfWamid(wamids[0] ?? '')).toBe('34600000001');
  });

  it('serves media to whoever has the token of an app, and says when it has none', async () => {
    const { simulator } = await start();
    const get = (url: string, token = 'token') => simulator.inject({ url, headers: { authorization: `Bearer ${token}` } });
    const { url, file_size } = (await get('/v25.0/media1')).json<{ url: string; file_size: number }>();
    const path = new URL(url).pathname;
    expect((await get(path)).rawPayload).toHaveLength(file_size);
    expect((await get('/v25.0/lost1')).statusCode).toBe(404);
    expect([(await get('/v25.0/media1', 'x')).statusCode, (await get(path, 'x')).statusCode]).toEqual([401, 401]);
  });

  it('refuses free text outside the window with the provider code', async () => {
    const { simulator } = await start();
    expect((await send(simulator)).json()).toMatchObject({ error: { code: 131047 } });
  });

  it('leaves delivered out for a customer who reads at once, and prices beyond the free tier', async () => {
    const { simulator, posts } = await start();
    await write(simulator, 'hola');
    await send(simulator);
    await send(simulator);
    const pending = async (): Promise<number> =>
      (await simulator.inject('/control/pending')).json<{ statuses: number }>().statuses;
    while ((await pending()) > 0) await setImmediate();
    const statuses = posts.flatMap((post) =>
      post.body.entry.flatMap((entry) => entry.changes.flatMap((change) => change.value.statuses ?? [])),
    );
    expect(statuses.map((status) => status.status).sort()).toEqual(['read', 'read', 'sent', 'sent']);
    const journal = (await simulator.inject('/control/journal')).json<{
      charges: { amountNano: string; pricingType: string }[];
    }>();
    expect(journal.charges.map((charge) => [charge.pricingType, charge.amountNano])).toEqual([
      ['free_customer_service', '0'],
      ['regular', '20000000'],
    ]);
  });
});
