import { AppsFile, sign } from '@centralita/tool-simulator';
import { readFileSync } from 'node:fs';
import type { Facts } from './facts.js';
import { Contradictions, type Finding } from './finding.js';

const NOBODY = '0190b7c0-0000-7000-8000-00000000dead';

/**
 * Check 10. Nobody of tenant A gets anything of tenant B through any route: B's ids are answered exactly as ids that do not exist. And a
 * body that A's app has signed cannot write into B.
 */
export const checkTenancy = async (facts: Facts): Promise<Finding> => {
  const found = new Contradictions();
  const [one, other] = facts.context.tenants;
  if (!one || !other) throw new RangeError('the day needs two tenants');
  let asked = 0;
  for (const [mine, theirs] of [
    [one, other],
    [other, one],
  ] as const) {
    const conversation = facts
      .of('conversation.events.v1', 'conversation.opened.v1')
      .find(({ event }) => event.tenantid === theirs.tenantId)?.event.data;
    const offer = facts.of('routing.events.v1', 'reservation.offered.v1').find(({ event }) => event.tenantid === theirs.tenantId)
      ?.event.data;
    const media = facts.of('wa.outbound.v1', 'media.stored.v1').find(({ event }) => event.tenantid === theirs.tenantId)
      ?.event.data;
    const usage = facts.of('billing.events.v1', 'usage.recorded.v1').find(({ event }) => event.tenantid === theirs.tenantId)
      ?.event.data;
    const wabaId = facts.context.numbers.find((number) => number.tenantId === theirs.tenantId)?.wabaId;
    if (!conversation || !offer || !wabaId || !usage) throw new RangeError(`${theirs.name} has no traffic to ask for`);
    const paths = (ids: {
      conversationId: string;
      reservationId: string;
      mediaId: string;
      usageId: string;
      wabaId: string;
      month: string;
    }): [string, string, string, unknown?][] => [
      [mine.supervisor.username, 'GET', `/v1/conversations/${ids.conversationId}`],
      [mine.supervisor.username, 'GET', `/v1/conversations/${ids.conversationId}/messages`],
      [mine.supervisor.username, 'POST', `/v1/conversations/${ids.conversationId}/notes`, { text: 'a note' }],
      [mine.supervisor.username, 'POST', `/v1/conversations/${ids.conversationId}/close`, { dispositionCode: 'solved' }],
      [
        mine.supervisor.username,
        'POST',
        `/v1/conversations/${ids.conversationId}/reveal`,
        { field: 'phone', reason: 'SUPERVISION_QA' },
      ],
      [mine.supervisor.username, 'GET', `/v1/decisions/${ids.conversationId}`],
      [mine.agents[0]?.username ?? '', 'POST', `/v1/offers/${ids.reservationId}/accept`, {}],
      [
        mine.agents[0]?.username ?? '',
        'POST',
        `/v1/conversations/${ids.conversationId}/replies`,
        { kind: 'text', text: 'hello' },
      ],
      [mine.agents[0]?.username ?? '', 'GET', `/v1/media/${ids.mediaId}`],
      [mine.billing.username, 'GET', `/v1/statements/${ids.wabaId}/${ids.month}`],
      [mine.billing.username, 'GET', `/v1/usage/${ids.usageId}`],
    ];
    const foreign = paths({
      conversationId: conversation.conversationId,
      reservationId: offer.reservationId,
      mediaId: media?.mediaId ?? NOBODY,
      usageId: usage.usageId,
      wabaId,
      month: usage.month,
    });
    const unknown = paths({
      conversationId: NOBODY,
      reservationId: NOBODY,
      mediaId: NOBODY,
      usageId: NOBODY,
      wabaId: 'no-such-account',
      month: usage.month,
    });
    for (const [index, [username, method, path, body]] of foreign.entries()) {
      const ask = async (where: string): Promise<string> => {
        const person = facts.day.people.get(username);
        if (!person) throw new RangeError(`${username} is not signed in`);
        const answer = await person.raw(method, where, {
          ...(body === undefined ? {} : { body }),
          idempotencyKey: `tenancy-${index}-${Date.now()}`,
          ifMatch: '"0.0"',
        });
        const problem = JSON.parse(answer.body.toString('utf8')) as { code?: string; detail?: string };
        return `${answer.status} ${problem.code} ${problem.detail}`;
      };
      asked += 1;
      const [theirAnswer, noAnswer] = [await ask(path), await ask(unknown[index]?.[2] ?? '')];
      found.expect(
        /^(404|403)/.test(theirAnswer),
        `${username} ${method} ${path.replace(/[0-9a-f-]{36}/g, ':id')} answered ${theirAnswer}`,
      );
      found.expect(
        theirAnswer === noAnswer,
        `${method} ${path.replace(/[0-9a-f-]{36}/g, ':id')} tells ids of another tenant (${theirAnswer}) from unknown ones (${noAnswer})`,
      );
    }
    const inbox = await facts.day.people
      .get(mine.supervisor.username)
      ?.get<{ items: { conversationId: string }[] }>('/v1/inbox?view=all&limit=100');
    const theirIds = new Set(
      facts
        .of('conversation.events.v1', 'conversation.opened.v1')
        .filter(({ event }) => event.tenantid === theirs.tenantId)
        .map(({ event }) => event.data.conversationId),
    );
    found.expect(
      !inbox?.body.items.some((row) => theirIds.has(row.conversationId)),
      `the inbox of ${mine.name} shows conversations of ${theirs.name}`,
    );
  }
  const forged = await signAsOther(facts);
  found.expect(forged === 401, `a body signed by one app was answered ${forged} at the other app's address`);
  return { figures: { requests: asked, signatureOfOtherApp: forged }, problems: found.list };
};

/** Posts to the second tenant's address a body that the first tenant's app has signed. */
const signAsOther = async (facts: Facts): Promise<number> => {
  const [one, other] = facts.context.tenants;
  const number = facts.context.numbers.find((candidate) => candidate.tenantId === other?.tenantId);
  const { apps } = AppsFile.parse(JSON.parse(readFileSync(facts.context.files.apps, 'utf8')));
  const secret = apps.find((app) => app.tenantId === one?.tenantId)?.secrets.current;
  if (!other || !number || !secret) throw new RangeError('the day needs two tenants with an app each');
  const body = Buffer.from(JSON.stringify({ object: 'whatsapp_business_account', entry: [{ id: number.wabaId, changes: [] }] }));
  const response = await fetch(`${facts.context.webhookUrl}/${other.app}`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', 'x-hub-signature-256': sign(secret, body) },
  });
  return response.status;
};
