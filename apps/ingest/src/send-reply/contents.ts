import type { OutgoingMessage } from '@centralita/whatsapp';
import { z } from 'zod';

/** Plaintext of `reply.v1`: exactly one address, and words or a template. */
const ReplyPlaintext = z
  .object({
    to: z.string().min(1).optional(),
    recipient: z.string().min(1).optional(),
    recipientType: z.literal('group').optional(),
    text: z.string().min(1).optional(),
    template: z
      .object({
        name: z.string().min(1),
        language: z.string().min(1),
        components: z.array(z.unknown()).optional(),
        values: z.array(z.string()).optional(),
      })
      .optional(),
    contextWamid: z.string().min(1).nullish(),
  })
  .refine(({ to, recipient }) => (to === undefined) !== (recipient === undefined))
  .refine(({ text, template }) => (text === undefined) !== (template === undefined));

/** What the provider is asked to send, without the number and our send id; null when the plaintext is not a reply. */
export const contentsOf = (plaintext: unknown): Omit<OutgoingMessage, 'phoneNumberId' | 'callbackData'> | null => {
  const parsed = ReplyPlaintext.safeParse(plaintext);
  if (!parsed.success) return null;
  const { to, recipient, recipientType, text, template, contextWamid } = parsed.data;
  const address = { to, recipient, recipientType, contextWamid: contextWamid ?? undefined };
  if (text !== undefined) return { ...address, content: { type: 'text', body: text } };
  if (template === undefined) return null;
  const values = template.values ?? [];
  const components =
    template.components ??
    (values.length === 0 ? undefined : [{ type: 'body', parameters: values.map((value) => ({ type: 'text', text: value })) }]);
  return {
    ...address,
    content: {
      type: 'template',
      name: template.name,
      language: template.language,
      ...(components === undefined ? {} : { components }),
    },
  };
};
