import { describe, expect, it } from '@jest/globals';
import { AccessPage, FeedPage, InboxRow, Me, page, personal, Revealed, ThreadItem, Uuid } from '@centralita/contracts';
import { z } from 'zod';
import { binary } from '../endpoint/binary.js';
import { routeProblems } from '../endpoint/registry.js';
import { route } from '../endpoint/route.js';
import { personalFields } from './personal.js';

describe('personalFields', () => {
  it('finds marked fields behind lists, options, unions, records and descriptions', () => {
    const name = personal(z.string());
    expect(personalFields(name)).toEqual(['(body)']);
    expect(personalFields(z.object({ a: name.nullable().describe('x') }))).toEqual(['a']);
    expect(personalFields(z.object({ a: personal(z.string().nullable()).describe('x') }))).toEqual(['a']);
    expect(personalFields(z.object({ list: z.array(z.object({ name: name.optional() })) }))).toEqual(['list.[].name']);
    expect(personalFields(z.union([z.number(), z.object({ name })]))).toEqual(['name']);
    expect(
      personalFields(
        z.discriminatedUnion('kind', [z.object({ kind: z.literal('a'), name }), z.object({ kind: z.literal('b') })]),
      ),
    ).toEqual(['name']);
    expect(personalFields(z.record(z.string(), z.object({ name })))).toEqual(['[].name']);
    expect(personalFields(z.tuple([z.number(), name]))).toEqual(['(body)']);
    expect(personalFields(z.object({ name }).and(z.object({ other: z.number() })))).toEqual(['name']);
    expect(personalFields(z.object({ name: name.default('x').readonly().catch('y') }))).toEqual(['name']);
    expect(personalFields(z.lazy(() => z.object({ name })))).toEqual(['name']);
    expect(
      personalFields(
        z
          .string()
          .transform((text) => text.length)
          .pipe(z.number()),
      ),
    ).toEqual([]);
    const tree: z.ZodType = z.object({
      name,
      get children() {
        return z.array(tree);
      },
    });
    expect(personalFields(tree)).toEqual(['name']);
    expect(personalFields(binary())).toEqual(['(body)']);
  });

  it('does not let a mark on a shared format spread to every field of that format', () => {
    personal(Uuid);
    expect(personalFields(z.object({ a: Uuid, b: Uuid.nullable(), c: Uuid.describe('x') }))).toEqual([]);
    expect(personalFields(z.object({ a: personal(z.uuid()) }))).toEqual(['a']);
  });

  it('knows which answers of the public API show customers', () => {
    expect(personalFields(page(InboxRow))).toEqual(['items.[].displayName', 'items.[].phoneMasked', 'items.[].preview']);
    expect(personalFields(ThreadItem).length).toBeGreaterThan(4);
    expect(personalFields(Revealed)).toEqual(['phone', 'bsuid']);
    expect(personalFields(AccessPage)).toEqual(['items.[].leaf']);
    expect(personalFields(FeedPage)).toEqual([]);
    expect(personalFields(Me)).toEqual([]);
  });
});

describe('routeProblems', () => {
  const shown = { method: 'GET', path: '/v1/inbox', summary: 's', roles: ['agent'], response: page(InboxRow) } as const;

  it('refuses a route that shows customer data and is not audited', () => {
    expect(routeProblems(route(shown))).toEqual([
      'GET /v1/inbox: shows customer data (items.[].displayName, items.[].phoneMasked, items.[].preview) and is not audited',
    ]);
    expect(routeProblems(route({ ...shown, audited: { action: 'inbox.read', resource: 'inbox' } }))).toEqual([]);
  });

  it('refuses a route without roles, and parameters without a schema', () => {
    const bare = { method: 'GET', path: '/v1/x/:id', summary: 's', response: z.object({}) } as const;
    expect(routeProblems(route({ ...bare, roles: [] }))).toHaveLength(2);
    expect(routeProblems(route({ ...bare, roles: ['agent'], params: z.object({ id: z.string() }) }))).toEqual([]);
  });
});
