import { z } from 'zod';

/** A person who may sign in at the development provider. Pseudonyms only: "Agent 1", never a real name. */
export const userSchema = z.strictObject({
  sub: z.uuid(),
  username: z.string().min(1),
  password: z.string().min(1),
  label: z.string().min(1),
  tenant: z.uuid(),
  /** Heading on the sign-in page; the tenant's id when absent. */
  tenantLabel: z.string().min(1).optional(),
  roles: z.array(z.enum(['agent', 'supervisor', 'compliance', 'billing', 'platform'])).min(1),
});

export const usersSchema = z.array(userSchema).superRefine((users, context) => {
  for (const field of ['sub', 'username'] as const) {
    const seen = new Set<string>();
    users.forEach((user, index) => {
      if (seen.has(user[field]))
        context.addIssue({ code: 'custom', path: [index, field], message: `used twice: ${user[field]}` });
      seen.add(user[field]);
    });
  }
});

export type IdentityUser = z.infer<typeof userSchema>;
