import type { History } from '@centralita/testing-kit';
import type { Facts } from '@centralita/tool-start';
import { z } from 'zod';

/** Tokens are opaque to clients; a judge looks inside. */
const Token = z.tuple([z.string(), z.string(), z.string().regex(/^\d+$/)]);

/** First looks of agents at what they had just accepted, from another service than the one that had let them. */
export const tokenReadsOf = (facts: Facts): History['tokenReads'] =>
  facts.day.agents.flatMap(({ causalReads }) =>
    causalReads.map(({ token, sawEffect }) => {
      const [topic, key, version] = Token.parse(JSON.parse(Buffer.from(token, 'base64url').toString('utf8')));
      return { topic, key, version: Number(version), saw: sawEffect ? Number(version) : 0 };
    }),
  );
