import type { DisclosedField, ReasonCode } from '@centralita/contracts';

/** A handler's answer with more than a body. */
export class Reply<Body> {
  constructor(
    readonly body: Body,
    readonly options: ReplyOptions,
  ) {}
}
export type ReplyOptions = {
  /** Instead of the route's status. */
  readonly status?: number;
  /** Version of the resource; sent quoted as `etag`, comes back in `if-match`. */
  readonly etag?: string;
  /** Sent as `x-causal-token`: the next request that carries it sees what this one did. */
  readonly causalToken?: string;
};

/** Answers with a body and an entity tag, causal token or status. */
export const reply = <Body>(body: Body, options: ReplyOptions = {}): Reply<Body> => new Reply(body, options);

export type DisclosureOptions<Body> = ReplyOptions & {
  readonly body: Body;
  /** Subject ids of the customers whose data stands in the body; they become commitments in the record. */
  readonly subjects: readonly string[];
  /** What was rendered after masking. */
  readonly fields: readonly DisclosedField[];
  readonly resultCount: number;
  /** What was asked for; the default is the audited route's resource type with the id in its path, else `list`. */
  readonly resource?: { readonly type: string; readonly id: string };
  /** Why it was shown; the default follows from the actor's role. Free text is stored as a commitment only. */
  readonly reason?: { readonly code: ReasonCode; readonly reference?: string; readonly text?: string };
  /** True when several subjects were listed: the record gets a manifest over their commitments. Default: more than one subject. */
  readonly list?: boolean;
};

/** A body with customer data and what the access record must say about it. The only answer an audited route may give. */
export class Disclosure<Body> {
  constructor(readonly options: DisclosureOptions<Body>) {}
}

/** Answers an audited route: the record is committed before the first byte of the body leaves. */
export const disclosure = <Body>(options: DisclosureOptions<Body>): Disclosure<Body> => new Disclosure(options);
