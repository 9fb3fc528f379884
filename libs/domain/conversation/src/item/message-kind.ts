/**
 * What an item of the provider's messages list means for a case.
 * - `speech`: the customer says something: opens or reopens a case and moves the window. Types that nobody knows yet count too.
 * - `gesture`: a reaction: moves the window, joins the last case without waking it.
 * - `trace`: an edit, a revocation or a notice of the platform: joins the last case, moves nothing.
 *
 * Where the provider is silent this is our choice: docs/decisions/0003.
 */
export type MessageKind = 'speech' | 'gesture' | 'trace';

const traces: ReadonlySet<string> = new Set(['edit', 'revoke', 'system']);

export const messageKind = (messageType: string): MessageKind => {
  if (messageType === 'reaction') return 'gesture';
  return traces.has(messageType) ? 'trace' : 'speech';
};
