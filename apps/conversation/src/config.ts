import { readFileSync } from 'node:fs';
import { Disposition, Template } from '@centralita/contracts';
import { z } from 'zod';
import { defaultDispositions, defaultTemplates } from './catalogue/defaults.js';

/** Reads and checks a JSON file that a setting names; what is wrong with it is wrong with the configuration. */
const jsonFile = <Schema extends z.ZodType>(schema: Schema) =>
  z.string().transform((path, context): z.output<Schema> => {
    let json: unknown;
    try {
      json = JSON.parse(readFileSync(path, 'utf8'));
    } catch {
      context.addIssue({ code: 'custom', message: 'must name a readable JSON file' });
      return z.NEVER;
    }
    const parsed = schema.safeParse(json);
    if (parsed.success) return parsed.data;
    const fields = [...new Set(parsed.error.issues.map((issue) => issue.path.join('.')))].join(', ');
    context.addIssue({ code: 'custom', message: `names a file that is not valid at ${fields}` });
    return z.NEVER;
  });

const Accounts = z.object({
  accounts: z.array(
    z.object({
      tenantId: z.uuid(),
      wabaId: z.string(),
      numbers: z.array(z.object({ phoneNumberId: z.string(), displayPhoneNumber: z.string(), name: z.string() })),
    }),
  ),
});

const Answers = z.object({
  templates: z.array(Template).default([...defaultTemplates]),
  dispositions: z
    .array(Disposition)
    .min(1)
    .default([...defaultDispositions]),
});

export const conversationEnv = z
  .object({
    ACCOUNTS_FILE: jsonFile(Accounts)
      .optional()
      .describe('accounts and business numbers with their names; without it a number is shown by its id'),
    TEMPLATES_FILE: jsonFile(Answers)
      .optional()
      .describe('approved templates and dispositions; without it those compiled in are offered'),
  })
  .transform(({ ACCOUNTS_FILE, TEMPLATES_FILE }) => ({
    accounts: ACCOUNTS_FILE?.accounts ?? [],
    ...(TEMPLATES_FILE ?? Answers.parse({})),
  }));
export type ConversationConfig = z.output<typeof conversationEnv>;
