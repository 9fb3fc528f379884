import { verdictOf, type Finding, type SignedHead, type Verdict } from '@centralita/domain-ledger';

/** Exit codes of `centralita verify`; scripts of auditors rely on them. */
export const EXIT_CODES = { ok: 0, tampered: 1, gap: 2, malformed: 3, unknown_key: 4 } as const satisfies Record<Verdict, number>;

const RESULTS = {
  ok: 'OK',
  tampered: 'TAMPERED',
  gap: 'GAP',
  malformed: 'MALFORMED',
  unknown_key: 'UNKNOWN KEY',
} as const satisfies Record<Verdict, string>;

/** What one file, or one set of files, turned out to be. */
export type Report = {
  readonly files: readonly string[];
  readonly heads: readonly SignedHead[];
  /** Lines about what holds. */
  readonly lines: readonly string[];
  readonly counts?: Readonly<Record<string, { readonly good: number; readonly total: number }>>;
  readonly findings: readonly Finding[];
};

const headLine = ({ checkpoint, signedBy }: SignedHead): string =>
  `checkpoint ${checkpoint.origin} size ${checkpoint.size} ` +
  (signedBy.length > 0 ? `signed by log key ${signedBy.join(', ')}` : 'not signed by a given key');

export const textLines = (report: Report): string[] => [
  ...report.files,
  ...report.heads.map(headLine),
  ...report.findings.map((finding) => finding.text),
  ...report.lines,
];

export const resultLine = (verdict: Verdict): string => `result: ${RESULTS[verdict]}`;

export const overall = (reports: readonly Report[]): Verdict => verdictOf(reports.flatMap((report) => report.findings));

/** The same facts for machines. Sizes and indices are decimal strings: they may pass 2^53. */
export const asJson = (command: string, reports: readonly Report[]): string =>
  JSON.stringify({
    command,
    result: overall(reports),
    exitCode: EXIT_CODES[overall(reports)],
    reports: reports.map(({ files, heads, counts, findings }) => ({
      files,
      result: verdictOf(findings),
      checkpoints: heads.map(({ checkpoint, signedBy }) => ({
        origin: checkpoint.origin,
        size: checkpoint.size.toString(),
        root: Buffer.from(checkpoint.root).toString('hex'),
        signedBy,
      })),
      ...(counts ? { counts } : {}),
      findings,
    })),
  });
