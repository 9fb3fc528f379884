import { describe, expect, it } from '@jest/globals';
import type { FeedPage, Pointer } from '@centralita/contracts';
import { LiveConnection } from './connection.js';
import { FeedTail, type ReadFeed } from './tail.js';

const pointer = (id: string, streamId: string): Pointer => ({
  ...{ id, streamId, type: 'conversation.reply.status', version: '1', at: '2026-11-23T10:00:00.000Z' },
});
const quiet: ReadFeed = () => new Promise<FeedPage>(() => undefined);

describe('a stream that resumes while things happen', () => {
  it('passes each pointer on once, and one event in two conversations twice', async () => {
    // given a tail that hears three pointers while the connection reads on from its own cursor
    const heard = Promise.withResolvers<FeedPage>();
    let asked = 0;
    const end: ReadFeed = () => {
      asked += 1;
      if (asked === 1) return Promise.resolve({ items: [], cursor: '1' });
      return asked === 2 ? heard.promise : new Promise(() => undefined);
    };
    const news = { items: [pointer('e1', 'a'), pointer('e1', 'b'), pointer('e2', 'a')], cursor: '3' };
    let reads = 0;
    const own: ReadFeed = async () => {
      reads += 1;
      if (reads === 1) return { items: [pointer('e1', 'a')], cursor: '2' };
      heard.resolve(news);
      await new Promise((resolve) => setImmediate(resolve));
      return { items: [], cursor: '2' };
    };
    const sent: string[] = [];
    const gone = new AbortController();
    const sut = new LiveConnection(
      { conversation: '0', routing: null },
      {
        closed: gone.signal,
        send: (_event, _id, data) => void sent.push(`${(data as Pointer).id} ${(data as Pointer).streamId}`),
      },
    );
    // when it has caught up
    void sut.run({ conversation: new FeedTail(end), routing: new FeedTail(quiet) }, { conversation: own, routing: quiet });
    while (sent.length < 3 && reads < 3) await new Promise((resolve) => setImmediate(resolve));
    // then nothing came twice and nothing is missing
    expect(sent).toEqual(['e1 a', 'e1 b', 'e2 a']);
    gone.abort();
  });
});
