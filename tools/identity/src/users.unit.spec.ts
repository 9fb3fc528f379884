import { describe, expect, it } from '@jest/globals';
import { usersSchema } from './users.js';

const user = {
  sub: '0197b2a0-0000-7000-8000-000000000001',
  username: 'agent-1',
  password: 'x',
  label: 'Agent 1',
  tenant: '0197b2a0-0000-7000-8000-00000000000a',
  roles: ['agent'],
};

describe('the users file', () => {
  it('accepts users that differ', () => {
    expect(
      usersSchema.safeParse([user, { ...user, sub: '0197b2a0-0000-7000-8000-000000000002', username: 'agent-2' }]).success,
    ).toBe(true);
  });

  it('names a user name and a subject that are used twice', () => {
    const result = usersSchema.safeParse([user, user]);
    expect(result.error?.issues.map((issue) => issue.path)).toEqual([
      [1, 'sub'],
      [1, 'username'],
    ]);
  });

  it('refuses a role that the platform does not know', () => {
    expect(usersSchema.safeParse([{ ...user, roles: ['root'] }]).success).toBe(false);
  });
});
