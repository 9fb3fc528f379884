/**
 * What a verification may end in. `tampered`: a byte is not what was signed. `gap`: something that must be there is not.
 * `malformed`: the file cannot be read as what it claims to be. `unknown_key`: consistent, but signed by nobody we trust.
 */
export type Verdict = 'ok' | 'tampered' | 'gap' | 'malformed' | 'unknown_key';

export type Finding = {
  readonly verdict: Exclude<Verdict, 'ok'>;
  /** What is wrong, named so that a person finds it: the line that a report prints. */
  readonly text: string;
  readonly leafIndex: string | null;
  readonly recordId: string | null;
};

export const finding = (
  verdict: Finding['verdict'],
  text: string,
  record: { leafIndex?: bigint; recordId?: string | null } = {},
): Finding => ({ verdict, text, leafIndex: record.leafIndex?.toString() ?? null, recordId: record.recordId ?? null });

/** The worst first: what cannot be read, then what was changed, then what is missing, then who signed. */
const order = ['malformed', 'tampered', 'gap', 'unknown_key'] as const;

export const verdictOf = (findings: readonly Finding[]): Verdict =>
  order.find((verdict) => findings.some((candidate) => candidate.verdict === verdict)) ?? 'ok';

/** 18021 as `18,021`: the same in every locale, because reports are compared as text. */
export const grouped = (value: bigint | number): string => value.toString().replace(/\B(?=(\d{3})+$)/g, ',');
