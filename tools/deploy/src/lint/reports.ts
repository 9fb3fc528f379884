/** One thing that a tool found. Only errors fail a run. */
export type LintFinding = {
  readonly level: 'error' | 'warning';
  readonly check: string;
  readonly object: string;
  readonly message: string;
};

type LinterReport = {
  readonly Check: string;
  readonly Diagnostic: { readonly Message: string };
  readonly Object: { readonly K8sObject: { readonly Name: string; readonly GroupVersionKind: { readonly Kind: string } } };
};

/** What `kube-linter lint --format json` says; everything that it reports is an error. */
export const linterFindings = (json: string): { readonly checks: number; readonly findings: LintFinding[] } => {
  const { Checks, Reports } = JSON.parse(json) as { Checks: unknown[]; Reports: LinterReport[] | null };
  return {
    checks: Checks.length,
    findings: (Reports ?? []).map((report) => ({
      level: 'error',
      check: report.Check,
      object: `${report.Object.K8sObject.GroupVersionKind.Kind}/${report.Object.K8sObject.Name}`,
      message: report.Diagnostic.Message,
    })),
  };
};

/** What `kube-score score --output-format ci` says: lines `[LEVEL] name/namespace group/version/Kind: comment`. */
export const scoreFindings = (text: string): { readonly checks: number; readonly findings: LintFinding[] } => {
  const lines = text.split('\n').flatMap((line) => {
    const [, level, name, kind, message] = /^\[(OK|SKIPPED|WARNING|CRITICAL)\] (\S+) (\S+?)(?:: (.*))?$/.exec(line) ?? [];
    return level ? [{ level, object: `${kind?.split('/').at(-1)}/${name?.split('/')[0]}`, message: message ?? '' }] : [];
  });
  return {
    checks: lines.filter(({ level }) => level !== 'SKIPPED').length,
    findings: lines.flatMap(({ level, object, message }) =>
      level === 'CRITICAL' || level === 'WARNING'
        ? [{ level: level === 'CRITICAL' ? ('error' as const) : ('warning' as const), check: 'kube-score', object, message }]
        : [],
    ),
  };
};

type ConformResource = { readonly kind: string; readonly name: string; readonly status: string; readonly msg: string };

/** What `kubeconform -output json -verbose` says. A resource without a schema is a custom one, which the unit tests check. */
export const conformFindings = (json: string): { readonly checks: number; readonly findings: LintFinding[] } => {
  const { resources } = JSON.parse(json) as { resources: ConformResource[] };
  return {
    checks: resources.filter(({ status }) => status !== 'statusSkipped').length,
    findings: resources
      .filter(({ status }) => status === 'statusInvalid' || status === 'statusError')
      .map(({ kind, name, msg }) => ({ level: 'error', check: 'kubeconform', object: `${kind}/${name}`, message: msg })),
  };
};
