import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { causalToken } from './causal-token.js';
import { EventStore } from './event-store.js';
import { startAt } from './inbox/positions.js';
import { batchOf, eventOf, inboxFixture, middlewareOf, none, put, smallLog, stored, writeApplied } from './inbox/support.spec.js';
import { identified, newId, type Fixture } from './support.spec.js';

describe('causalToken', () => {
  let f: Fixture;
  const tenant = newId();
  beforeAll(async () => {
    f = await inboxFixture();
  });
  afterAll(() => f.end());

  it('waits until the group has applied the event, and no longer than it is told', async () => {
    const [log, group, key] = [smallLog(), newId(), newId()];
    await startAt(f.db, group)([{ topic: stored, partition: 0 }]);
    await put(log, stored, eventOf({ tenant, key, version: 1 }), eventOf({ tenant, key, version: 2 }));
    const token = causalToken.encode(stored, key, 2n);
    const sut = middlewareOf(f.db, log, group);
    await sut(batchOf(log, stored, 0, 1), writeApplied(group), none);
    await expect(causalToken.waitFor(f.db, group, tenant, token, 60)).rejects.toMatchObject({
      code: 'CAUSE_NOT_SEEN',
      retryable: true,
    });
    const waiting = causalToken.waitFor(f.db, group, tenant, token);
    await sut(batchOf(log, stored, 1), writeApplied(group), none);
    await waiting;
    // another tenant's key is not seen, whatever its version
    await expect(causalToken.waitFor(f.db, group, newId(), token, 20)).rejects.toMatchObject({ code: 'CAUSE_NOT_SEEN' });
  });

  it('knows its own events at once, and does not wait for topics that it does not read', async () => {
    const [group, key] = [newId(), newId()];
    const store = new EventStore({ service: 'conversation' });
    await startAt(f.db, group)([{ topic: stored, partition: 0 }]);
    const [event] = await f.db.withTenant(tenant, (tx) => store.append(tx, 'conversation.events.v1', [identified(key, key, 0)]));
    await causalToken.waitFor(f.db, group, tenant, causalToken.encode(stored, key, event?.keyVersion ?? 0n), 0);
    await causalToken.waitFor(f.db, group, tenant, causalToken.encode('routing.events.v1', newId(), 9n), 0);
  });

  it('refuses what is no token', async () => {
    for (const token of ['', 'x', Buffer.from('["a","b","c"]').toString('base64url'), causalToken.encode(stored, 'no uuid', 1n)])
      await expect(causalToken.waitFor(f.db, 'g', tenant, token)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
  });
});
