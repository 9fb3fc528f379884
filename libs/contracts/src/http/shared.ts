import { z } from 'zod';

/** Registry of schemas that show customer data. A route whose response holds one must record every access, or the service does not start. */
export const personalSchemas = z.registry<{ personal: true }>();

/** Customer data in clear: a copy of the schema with the mark, so that a shared format such as `Uuid` is not marked everywhere. */
export const personal = <Schema extends z.ZodType>(schema: Schema): Schema => {
  const marked = schema.clone();
  personalSchemas.add(marked, { personal: true });
  return marked;
};

/** RFC 9457. `code` is stable; `errors` names each wrong field. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.string(),
  detail: z.string(),
  instance: z.string().optional(),
  retryable: z.boolean(),
  traceId: z.string().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});
export type Problem = z.infer<typeof Problem>;

export const Cursor = z.string().max(2000);
export const PageQuery = z.object({ cursor: Cursor.optional(), limit: z.coerce.number().int().min(1).max(100).default(50) });
export const page = <Item extends z.ZodType>(
  item: Item,
): z.ZodObject<{ items: z.ZodArray<Item>; nextCursor: z.ZodNullable<z.ZodString> }> =>
  z.object({ items: z.array(item), nextCursor: Cursor.nullable() });

/** Answer of a command: what happened, and a token that a next command or query on any service may carry in `x-causal-token`. */
export const Accepted = z.object({ id: z.uuid(), version: z.string().describe('new version of what was changed, for If-Match') });
export type Accepted = z.infer<typeof Accepted>;

/** What the live stream carries: never customer data. */
export const Pointer = z.object({ id: z.uuid(), type: z.string(), streamId: z.uuid(), version: z.string(), at: z.string() });
export type Pointer = z.infer<typeof Pointer>;
export const FeedPage = z.object({ items: z.array(Pointer), cursor: Cursor });
export type FeedPage = z.infer<typeof FeedPage>;
