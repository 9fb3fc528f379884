import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CloudEvent } from '@centralita/contracts';
import { createMemoryLog, type MemoryLog } from '@centralita/event-log';
import {
  blue,
  bodyOf,
  fixture,
  inbound,
  log,
  messages,
  opened,
  post,
  recorded,
  red,
  setUp,
  sign,
  start,
  tearDown,
  text,
  url,
  waba,
  webhook,
} from './harness.spec.js';

beforeAll(setUp);
afterAll(tearDown);

describe('the handshake', () => {
  const ask = (query: string, app = 'blue') => fetch(`${url}/${app}?${query}`);

  it('answers the bare challenge to whoever has the token of that app', async () => {
    const answer = await ask('hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=verify-blue');
    expect([answer.status, await answer.text()]).toEqual([200, '1158201444']);
  });

  it.each([
    ['hub.mode=subscribe&hub.challenge=1&hub.verify_token=verify-red', 'blue', 403],
    ['hub.mode=subscribe&hub.challenge=1', 'blue', 400],
    ['hub.mode=subscribe&hub.challenge=%3Cscript%3E&hub.verify_token=verify-blue', 'blue', 400],
    ['hub.mode=subscribe&hub.challenge=1&hub.verify_token=verify-blue', 'green', 404],
  ])('refuses %s of %s', async (query, app, status) => {
    expect((await ask(query, app)).status).toBe(status);
  });
});

describe('a forged delivery', () => {
  it.each([
    ['by another secret', (body: Buffer) => sign(body, 'guess')],
    ['by the secret of another app', (body: Buffer) => sign(body, red.secrets.current)],
    ['of other bytes', () => sign(Buffer.from('{}'))],
    ['malformed', () => 'sha256=abc'],
  ])('signed %s is 401 and leaves nothing', async (_, signature) => {
    const body = messages(text());
    const before = inbound().length;
    expect((await post(body, { 'x-hub-signature-256': signature(body) })).status).toBe(401);
    expect(inbound()).toHaveLength(before);
  });

  it('without signature, or with two, is 401', async () => {
    const body = messages(text());
    const before = inbound().length;
    const status = async (headers: string[]): Promise<number> =>
      new Promise((resolve, reject) => {
        const { port } = webhook;
        const options = {
          port,
          path: '/webhooks/blue',
          method: 'POST',
          headers: ['host', 'x', 'content-length', String(body.length), ...headers],
        };
        const sent = httpRequest(options, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        });
        sent.on('error', reject).end(body);
      });
    const good = ['X-Hub-Signature-256', sign(body)];
    expect(await status([])).toBe(401);
    expect(await status([...good, ...good])).toBe(401);
    expect(inbound()).toHaveLength(before);
    // without a content type the bytes are read all the same
    expect(await status(good)).toBe(200);
    expect(inbound()).toHaveLength(before + 1);
  });

  it('is counted', async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${webhook.metricsPort}/metrics`)).text();
    expect(metrics).toMatch(/webhook_signature_failures_total\{app="blue".*\} [1-9]/);
    expect(metrics).not.toMatch(/34600\d/);
  });
});

describe('tenants', () => {
  it('cannot write into each other, whoever signs', async () => {
    // given a delivery of the red app, rightly signed, about the number of the blue one
    const body = messages(text());
    const { status, events } = await recorded(body, red);
    expect(status).toBe(200);
    expect(events).toMatchObject([
      { type: 'whatsapp.unknown.received.v1', tenantid: red.tenantId, data: { reason: 'unregistered_account', app: 'red' } },
    ]);
    expect(await opened(events[0]!)).toMatchObject({ state: 'open' });
    const account = bodyOf([{ field: 'account_update', value: { event: 'X' } }], waba);
    expect((await recorded(account, red)).events).toMatchObject([
      { tenantid: red.tenantId, data: { reason: 'unregistered_account' } },
    ]);
  });
});

describe('erasure', () => {
  it('gives a person who writes again a new subject', async () => {
    const customer = text();
    const [before] = (await recorded(messages(customer))).events as [CloudEvent];
    // given that this process has the subject in its caches; the lease is over when the key is asked for again
    const other = await start();
    await fixture.db.withTenant(blue.tenantId, (tx) =>
      tx.execute('delete from identity where subject_id = $1', [before.subject]),
    );
    await fixture.keyring.setState(blue.tenantId, before.subject, 'closing');
    const seen = inbound().length;
    const body = messages({ ...customer, id: 'wamid.AGAIN' });
    expect((await post(body, {}, 'blue', `http://127.0.0.1:${other.port}/webhooks`)).status).toBe(200);
    await other.drain.drain('test');
    expect(inbound()).toHaveLength(seen + 1);
    expect(inbound().filter(({ subject }) => subject === before.subject)).toHaveLength(1);
  });
});

describe('a log that is away', () => {
  it('is 503 at once when it says so, and the redelivery is harmless', async () => {
    const body = messages(text());
    const before = inbound().length;
    log.failAppends('LOG_UNAVAILABLE');
    const answer = await post(body);
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(inbound()).toHaveLength(before);
    expect((await recorded(body)).events).toHaveLength(1);
  });

  it('is 503 within the budget when it says nothing', async () => {
    const silent = createMemoryLog();
    const released = Promise.withResolvers<void>();
    const hanging: MemoryLog = { ...silent, append: () => released.promise };
    const other = await start({ log: hanging, env: { WEBHOOK_BUDGET_MS: '200' } });
    const started = performance.now();
    expect((await post(messages(text()), {}, 'blue', `http://127.0.0.1:${other.port}/webhooks`)).status).toBe(503);
    expect(performance.now() - started).toBeLessThan(2000);
    released.resolve();
    await other.drain.drain('test');
  });

  it('is 503 also for a failure that would never pass', async () => {
    log.failAppends('RECORD_TOO_LARGE');
    expect((await post(messages(text()))).status).toBe(503);
  });
});
