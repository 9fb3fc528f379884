import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createMemoryLog, type MemoryLog } from '@centralita/event-log';
import { until } from '@centralita/testing-engines';
import { messages, post, setUp, sign, start, tearDown, text } from './harness.spec.js';
import type { RunningWebhook } from './start.js';

beforeAll(setUp);
afterAll(tearDown);

const sockets: Socket[] = [];
const running: RunningWebhook[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(running.splice(0).map(({ drain }) => drain.drain('test')));
});
const webhookWith = async (...a: Parameters<typeof start>): Promise<RunningWebhook> => {
  const webhook = await start(...a);
  running.push(webhook);
  return webhook;
};
/** A connection, and what came back until it was closed. */
const open = async (port: number): Promise<{ socket: Socket; closed: Promise<string> }> => {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  let answer = '';
  socket.on('data', (data) => (answer += data.toString()));
  socket.on('error', () => undefined);
  const closed = once(socket, 'close').then(() => answer);
  await once(socket, 'connect');
  return { socket, closed };
};
const head = (length: number): string =>
  `POST /webhooks/blue HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n`;

describe('a slow client', () => {
  it('is let go, wherever it stops, while others are served', async () => {
    const { port } = await webhookWith({ env: { WEBHOOK_REQUEST_TIMEOUT_MS: '400' } });
    const nothing = await open(port);
    const headers = await open(port);
    headers.socket.write(head(10));
    const body = await open(port);
    body.socket.write(`${head(100)}x-hub-signature-256: sha256=${'0'.repeat(64)}\r\n\r\n{"object"`);
    expect((await post(messages(text()), {}, 'blue', `http://127.0.0.1:${port}/webhooks`)).status).toBe(200);
    expect(await nothing.closed).toMatch(/^(HTTP\/1.1 408|$)/);
    expect(await headers.closed).toMatch(/^HTTP\/1.1 408/);
    expect(await body.closed).toMatch(/^HTTP\/1.1 408/);
  });

  it('finds a closed door when there are too many', async () => {
    const { port } = await webhookWith({ env: { WEBHOOK_MAX_CONNECTIONS: '2' } });
    const [first, second] = [await open(port), await open(port)];
    expect(await (await open(port)).closed).toBe('');
    first.socket.destroy();
    await until(async () => {
      const { socket, closed } = await open(port);
      socket.end('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
      return (await closed).startsWith('HTTP/1.1 404');
    });
    expect(second.socket.destroyed).toBe(false);
  });

  it('cannot fill the memory with bodies that never end: the one that began first is let go', async () => {
    const megabyte = 1024 * 1024;
    const { port } = await webhookWith({ env: { WEBHOOK_MAX_BYTES_ARRIVING: String(4 * megabyte) } });
    const halves: Awaited<ReturnType<typeof open>>[] = [];
    for (let n = 0; n < 2; n += 1) {
      const half = await open(port);
      half.socket.write(`${head(3 * megabyte)}\r\n`);
      half.socket.write(Buffer.alloc(2.5 * megabyte, 0x20));
      halves.push(half);
    }
    expect(await halves[0]?.closed).toMatch(/^HTTP\/1.1 429/);
    expect(halves[1]?.socket.destroyed).toBe(false);
    const body = messages(text({ text: { body: 'x'.repeat(megabyte) } }));
    expect((await post(body, {}, 'blue', `http://127.0.0.1:${port}/webhooks`)).status).toBe(200);
  });

  it('that declares too much is refused before it sends any of it', async () => {
    const { port } = await webhookWith();
    const { socket, closed } = await open(port);
    socket.write(`${head(3 * 1024 * 1024 + 1)}\r\n`);
    expect(await closed).toMatch(/^HTTP\/1.1 413/);
  });

  it('does not hold up a drain', async () => {
    const { port, drain } = await start();
    const { closed } = await open(port);
    expect(await drain.drain('test')).toBe(true);
    await closed;
  });
});

describe('bad framing', () => {
  it.each([
    ['two lengths', 'content-length: 2\r\ncontent-length: 3\r\n'],
    ['a length and chunks', 'content-length: 2\r\ntransfer-encoding: chunked\r\n'],
  ])('by %s is 400', async (_, lines) => {
    const { port } = await webhookWith();
    const { socket, closed } = await open(port);
    socket.write(`POST /webhooks/blue HTTP/1.1\r\nhost: x\r\n${lines}\r\n{}`);
    expect(await closed).toMatch(/^HTTP\/1.1 400/);
  });

  it('by chunks without end is 413', async () => {
    const { port } = await webhookWith();
    const { socket, closed } = await open(port);
    socket.write('POST /webhooks/blue HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n');
    const chunk = Buffer.alloc(0x10000, 0x20);
    for (let n = 0; n < 50; n++) socket.write(Buffer.concat([Buffer.from('10000\r\n'), chunk, Buffer.from('\r\n')]));
    expect(await closed).toMatch(/^(HTTP\/1.1 413|$)/);
  });
});

describe('a log that does not answer', () => {
  /** Holds every append until it is released. */
  const hangingLog = () => {
    const log = createMemoryLog();
    const released = Promise.withResolvers<void>();
    const hanging: MemoryLog = { ...log, append: (records) => released.promise.then(() => log.append(records)) };
    return { log, hanging, release: () => released.resolve() };
  };

  it('does not gather deliveries without end', async () => {
    const body = messages(text({ text: { body: 'x'.repeat(1000) } }));
    const { hanging, release } = hangingLog();
    const limit = String(body.length * 2 + 10);
    const { port } = await webhookWith({
      log: hanging,
      env: { WEBHOOK_BUDGET_MS: '300', WEBHOOK_MAX_BYTES_UNDER_WAY: limit },
    });
    const at = `http://127.0.0.1:${port}/webhooks`;
    const deliver = () => post(body, { 'x-hub-signature-256': sign(body) }, 'blue', at);
    expect((await deliver()).status).toBe(503);
    expect((await deliver()).status).toBe(503);
    // Two hang in the log: the third is refused at once.
    const answer = await deliver();
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([503, 'LOG_OVERLOADED']);
    release();
    await until(async () => (await deliver()).status === 200);
  });

  it('gets nothing that was answered 503 before its turn came', async () => {
    const { log, hanging, release } = hangingLog();
    const { port } = await webhookWith({ log: hanging, env: { WEBHOOK_BUDGET_MS: '300' } });
    const at = `http://127.0.0.1:${port}/webhooks`;
    // given one that is under way, and one behind it that waits until nobody wants it any more
    const [first, second] = [text(), text()];
    expect((await post(messages(first), {}, 'blue', at)).status).toBe(503);
    expect((await post(messages(second), {}, 'blue', at)).status).toBe(503);
    release();
    const third = text();
    await until(async () => (await post(messages(third), {}, 'blue', at)).status === 200);
    expect(log.records('wa.inbound.v1').length).toBeGreaterThanOrEqual(2);
    const subjects = new Set(log.records('wa.inbound.v1').map(({ key }) => key?.toString()));
    expect(subjects.size).toBe(2);
  });
});
