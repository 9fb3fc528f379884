import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CloudApi } from './cloud-api.js';

type Seen = { method: string; url: string; authorization: string | undefined; body: string };
const servers: Server[] = [];

/** A provider on loopback that answers as told and remembers what it was asked. */
const providerThat = async (
  answer: (response: ServerResponse, request: IncomingMessage) => void,
): Promise<{ base: string; seen: Seen[] }> => {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      seen.push({ method, url, authorization: headers.authorization, body: Buffer.concat(chunks).toString() });
      answer(response, request);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { base: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v25.0`, seen };
};
const json = (status: number, body: unknown) => (response: ServerResponse) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
const clientOf = (baseUrl: string, timeoutMs = 2000): CloudApi => new CloudApi({ baseUrl, accessToken: 'token', timeoutMs });
const text = {
  phoneNumberId: '1065',
  to: '34600000001',
  callbackData: 'send-1',
  content: { type: 'text', body: 'mañana 👋' },
} as const;

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

describe('a send', () => {
  it('is accepted with the id that the provider gave', async () => {
    const provider = await providerThat(json(200, { contacts: [], messages: [{ id: 'wamid.X' }] }));
    const sut = clientOf(provider.base);
    expect(await sut.send({ ...text, contextWamid: 'wamid.IN' })).toEqual({ outcome: 'accepted', wamid: 'wamid.X' });
    expect(provider.seen).toMatchObject([{ method: 'POST', url: '/v25.0/1065/messages', authorization: 'Bearer token' }]);
    expect(JSON.parse(provider.seen[0]!.body)).toEqual({
      messaging_product: 'whatsapp',
      recipient_type: 'individual',
      to: '34600000001',
      context: { message_id: 'wamid.IN' },
      biz_opaque_callback_data: 'send-1',
      type: 'text',
      text: { body: 'mañana 👋' },
    });
  });

  it('of a template to a BSUID names the recipient, never `to`', async () => {
    const provider = await providerThat(json(200, { messages: [{ id: 'wamid.X' }] }));
    const content = { type: 'template', name: 'hello', language: 'es', components: [{ type: 'body' }] } as const;
    await clientOf(provider.base).send({ phoneNumberId: '1065', recipient: 'ES.1', callbackData: 's', content });
    const body = JSON.parse(provider.seen[0]!.body) as Record<string, unknown>;
    expect(body).toMatchObject({
      recipient: 'ES.1',
      type: 'template',
      template: { name: 'hello', language: { code: 'es' }, components: [{ type: 'body' }] },
    });
    expect(body).not.toHaveProperty('to');
  });

  it.each([
    [400, { error: { code: 131047 } }, { reason: 'window_closed', code: 131047 }],
    [400, { error: { code: 131056 } }, { reason: 'pair_rate_limited', code: 131056 }],
    [401, { error: { code: 190 } }, { reason: 'not_permitted', code: 190 }],
    [500, { error: { code: 131000 } }, { reason: 'provider_error', code: 131000 }],
    [429, {}, { reason: 'throughput_limited', code: null }],
    [404, 'odd', { reason: 'provider_error', code: null }],
  ])('that gets %i %j is refused', async (status, body, expected) => {
    const provider = await providerThat(json(status, body));
    expect(await clientOf(provider.base).send(text)).toEqual({ outcome: 'refused', status, ...expected });
  });

  it('without a readable answer is unknown, and made once', async () => {
    const gateway = await providerThat((response) => response.writeHead(502).end('<html>'));
    expect(await clientOf(gateway.base).send(text)).toEqual({ outcome: 'unknown', why: 'unreadable_answer' });
    const nameless = await providerThat(json(200, { messages: [] }));
    expect(await clientOf(nameless.base).send(text)).toEqual({ outcome: 'unknown', why: 'unreadable_answer' });
    const silent = await providerThat(() => undefined);
    expect(await clientOf(silent.base, 50).send(text)).toEqual({ outcome: 'unknown', why: 'no_answer' });
    const cut = await providerThat((response) => response.destroy());
    expect(await clientOf(cut.base).send(text)).toEqual({ outcome: 'unknown', why: 'no_answer' });
    for (const provider of [gateway, nameless, silent, cut]) expect(provider.seen).toHaveLength(1);
  });

  it('is one call, also when the answer points elsewhere', async () => {
    const elsewhere = await providerThat(json(200, { messages: [{ id: 'wamid.X' }] }));
    const provider = await providerThat((response) => response.writeHead(307, { location: `${elsewhere.base}/x` }).end());
    expect(await clientOf(provider.base).send(text)).toMatchObject({ outcome: 'refused', reason: 'provider_error', status: 307 });
    expect([provider.seen.length, elsewhere.seen.length]).toEqual([1, 0]);
  });

  it('that never reached anybody is refused', async () => {
    const { base } = await providerThat(() => undefined);
    await new Promise((resolve) => servers.pop()!.close(resolve));
    expect(await clientOf(base).send(text)).toMatchObject({
      outcome: 'refused',
      reason: 'provider_error',
      code: null,
    });
  });
});

describe('media', () => {
  it('is looked up with the number it belongs to, and fetched with the token', async () => {
    const provider = await providerThat((response, request) =>
      request.url?.startsWith('/v25.0/M1')
        ? json(200, { url: `http://${request.headers.host ?? ''}/bytes`, mime_type: 'image/jpeg', sha256: 'ab', file_size: '3' })(
            response,
          )
        : response.end(Buffer.from([1, 2, 3])),
    );
    const sut = clientOf(provider.base);
    const found = await sut.mediaInfo('M1', '1065');
    expect(found).toMatchObject({ outcome: 'found', info: { mimeType: 'image/jpeg', sha256: 'ab', bytes: 3 } });
    const url = found.outcome === 'found' ? found.info.url : '';
    expect(await sut.downloadMedia(url, 3)).toEqual({ outcome: 'bytes', bytes: Buffer.from([1, 2, 3]) });
    expect(await sut.downloadMedia(url, 2)).toEqual({ outcome: 'too_big' });
    expect(provider.seen.map(({ url: path, authorization }) => [path, authorization])).toEqual([
      ['/v25.0/M1?phone_number_id=1065', 'Bearer token'],
      ['/bytes', 'Bearer token'],
      ['/bytes', 'Bearer token'],
    ]);
  });

  it.each([
    [404, {}, 'gone'],
    [410, {}, 'gone'],
    [400, { error: { code: 100 } }, 'gone'],
    [400, { error: { code: 4 } }, 'retry'],
    [500, {}, 'retry'],
    [200, { no: 'url' }, 'retry'],
  ])('lookup with answer %i %j is %s', async (status, body, outcome) => {
    const provider = await providerThat(json(status, body));
    expect(await clientOf(provider.base).mediaInfo('M1', '1065')).toEqual({ outcome });
  });

  it('download asks again when the link or the connection failed', async () => {
    const expired = await providerThat(json(404, {}));
    expect(await clientOf(expired.base).downloadMedia(`${expired.base}/x`, 10)).toEqual({ outcome: 'gone' });
    const down = clientOf('http://127.0.0.1:1');
    expect(await down.downloadMedia('http://127.0.0.1:1/x', 10)).toEqual({ outcome: 'retry' });
    expect(await down.mediaInfo('M1', '1065')).toEqual({ outcome: 'retry' });
  });

  it('never gives the token to a host that is not the provider', async () => {
    const stranger = await providerThat((response) => response.end('x'));
    const sut = clientOf('http://127.0.0.1:1');
    expect(await sut.downloadMedia(`${stranger.base}/x`, 10)).toEqual({ outcome: 'refused' });
    expect(await sut.downloadMedia('https://evilfacebook.com/x', 10)).toEqual({ outcome: 'refused' });
    // A listener on the way would read it.
    expect(await sut.downloadMedia('http://lookaside.fbsbx.com/x', 10)).toEqual({ outcome: 'refused' });
    const redirecting = await providerThat((response) => response.writeHead(302, { location: `${stranger.base}/x` }).end());
    expect(await clientOf(redirecting.base).downloadMedia(`${redirecting.base}/x`, 10)).toEqual({ outcome: 'retry' });
    expect(stranger.seen).toEqual([]);
  });
});
