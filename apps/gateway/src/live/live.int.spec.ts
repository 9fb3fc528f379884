import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Pointer } from '@centralita/contracts';
import { until } from '@centralita/testing-engines';
import { ownPage, startHarness, type Harness } from '../testing/gateway-harness.spec.js';
import type { TestBrowser } from '../testing/identity.spec.js';

type Event = { readonly event: string; readonly id: string; readonly data: Record<string, unknown> };

/** An open stream and what came over it. */
const open = async (browser: TestBrowser, url: string, headers: Record<string, string> = {}) => {
  const abort = new AbortController();
  const response = await browser.request(url, {
    headers: { ...ownPage, accept: 'text/event-stream', ...headers },
    signal: abort.signal,
  });
  const events: Event[] = [];
  const state = { closed: false };
  const read = async (): Promise<void> => {
    let text = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks.filter((each) => !each.startsWith(':'))) {
        const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
        events.push({ event: field('event'), id: field('id'), data: JSON.parse(field('data')) as Record<string, unknown> });
      }
    }
  };
  const reading = read().then(
    () => (state.closed = true),
    () => (state.closed = true),
  );
  return {
    response,
    state,
    events,
    pointers: (): string[] => events.filter(({ event }) => event === 'pointer').map(({ data }) => data.id as string),
    lastId: (): string => events.at(-1)?.id ?? '',
    close: async (): Promise<void> => {
      abort.abort();
      await reading;
    },
  };
};

const pointer = (type = 'conversation.opened.v1'): Pointer => ({
  id: randomUUID(),
  type,
  streamId: randomUUID(),
  version: '1',
  at: '2026-11-23T10:00:00.000Z',
});

describe('the live stream', () => {
  let sut: Harness;
  let agent: TestBrowser;
  beforeEach(async () => {
    sut = await startHarness();
    agent = await sut.signIn({ sub: randomUUID(), roles: ['agent'] });
  });
  afterEach(() => sut.stop());

  it('merges the pointers of conversation and routing from now on, and beats in between', async () => {
    const { conversation, routing } = sut.upstreams;
    conversation.publish(pointer());
    const stream = await open(agent, `${sut.url}/api/live`);
    expect([
      stream.response.status,
      stream.response.headers.get('content-type'),
      stream.response.headers.get('cache-control'),
    ]).toEqual([200, 'text/event-stream; charset=utf-8', 'no-store, no-transform']);
    expect(stream.response.headers.get('content-security-policy')).toContain("default-src 'self'");
    await until(() => stream.events.length > 0);
    expect(stream.events[0]?.event).toBe('heartbeat');
    const [one, two] = [pointer(), pointer('task.assigned.v1')];
    conversation.publish(one);
    routing.publish(two);
    await until(() => stream.pointers().length === 2);
    expect(new Set(stream.pointers())).toEqual(new Set([one.id, two.id]));
    const [first] = stream.events.filter(({ data }) => data.id === one.id);
    expect(first?.data).toEqual({ ...one, service: 'conversation' });
    await stream.close();
  });

  it('resumes where it was cut, by Last-Event-ID or by cursor, and loses nothing', async () => {
    const { conversation, routing } = sut.upstreams;
    const start = Buffer.from(JSON.stringify({ conversation: '0', routing: '0' })).toString('base64url');
    const before = [pointer(), pointer(), pointer(), pointer(), pointer()];
    conversation.publish(...before);
    const first = await open(agent, `${sut.url}/api/live?cursor=${start}`);
    await until(() => first.pointers().length === 5);
    expect(first.pointers()).toEqual(before.map(({ id }) => id));
    // Cut in the middle of a page: the rest of the page comes again.
    const cut = first.events.filter(({ event }) => event === 'pointer')[2];
    await first.close();
    const [missed, later] = [pointer(), pointer('task.assigned.v1')];
    conversation.publish(missed);
    const again = await open(agent, `${sut.url}/api/live`, { 'last-event-id': cut?.id ?? '' });
    await until(() => again.pointers().includes(missed.id));
    expect(again.pointers()).toEqual([...before.slice(2), missed].map(({ id }) => id));
    routing.publish(later);
    await until(() => again.pointers().includes(later.id));
    await again.close();
  });

  it('reads each feed once however many look, and goes on when a service comes back', async () => {
    const streams = await Promise.all(
      [1, 2, 3].map(() =>
        open(agent, `${sut.url}/api/live?cursor=${Buffer.from('{"conversation":"0","routing":"0"}').toString('base64url')}`),
      ),
    );
    const one = pointer();
    sut.upstreams.conversation.publish(one);
    for (const stream of streams) await until(() => stream.pointers().includes(one.id));
    const port = Number(new URL(sut.upstreamUrls.conversation).port);
    await sut.upstreams.conversation.stop();
    const two = pointer();
    sut.upstreams.conversation.publish(two);
    await sut.upstreams.conversation.start(port);
    for (const stream of streams) await until(() => stream.pointers().includes(two.id));
    for (const stream of streams) await stream.close();
  });

  it('says that there is a gap when a service knows less than it has told, and goes on from there', async () => {
    const { conversation } = sut.upstreams;
    conversation.publish(pointer(), pointer(), pointer());
    // given somebody who looks, and somebody who comes back later with a cursor from before
    const looking = await open(agent, `${sut.url}/api/live`);
    await until(() => looking.events.length > 0);
    const old = looking.lastId();
    // when the service is put back
    conversation.forget(2);
    await until(() => looking.events.some(({ event }) => event === 'gap'));
    const back = await open(agent, `${sut.url}/api/live?cursor=${old}`);
    await until(() => back.events.some(({ event }) => event === 'gap'));
    // then both are told of the service, and hear what comes
    for (const { events } of [looking, back])
      expect(events.filter(({ event }) => event === 'gap').map(({ data }) => data)).toEqual([{ service: 'conversation' }]);
    const one = pointer();
    conversation.publish(one);
    for (const stream of [looking, back]) await until(() => stream.pointers().includes(one.id));
    expect([looking.pointers(), back.pointers()]).toEqual([[one.id], [one.id]]);
    for (const stream of [looking, back]) await stream.close();
  });

  it('wants a session and a cursor of its own, and ends with the session and with the drain', async () => {
    expect((await fetch(`${sut.url}/api/live`, { headers: ownPage })).status).toBe(401);
    expect((await agent.request(`${sut.url}/api/live`)).status).toBe(403);
    expect((await agent.request(`${sut.url}/api/live?cursor=x`, { headers: ownPage })).status).toBe(400);
    const other = await sut.signIn({ sub: randomUUID(), roles: ['agent'] });
    const [kept, ended] = [await open(agent, `${sut.url}/api/live`), await open(other, `${sut.url}/api/live`)];
    await other.request(`${sut.url}/auth/logout`, { method: 'POST', headers: ownPage });
    await until(() => ended.state.closed);
    expect(kept.state.closed).toBe(false);
    const drained = sut.gateway.drain.drain('SIGTERM');
    await until(() => kept.state.closed);
    expect(await drained).toBe(true);
  });
});
