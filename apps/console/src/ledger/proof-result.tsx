import type { RecordDetail } from '@centralita/contracts';
import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { z } from 'zod';
import book from '../shared/book.module.css';
import { Hash } from '../shared/hash.js';
import { Mark } from '../shared/mark.js';
import { Seal } from '../shared/seal.js';
import { clockSeconds, grouped } from '../shared/time.js';
import type { Checked } from './fetch-proof.js';
import classes from './ledger.module.css';

const download = (name: string, text: string): void => {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  link.click();
  URL.revokeObjectURL(url);
};

/** Verdict first, steps next, hashes last. */
export const ProofResult = ({
  record,
  check,
  proof,
  at,
}: Checked & { readonly record: z.infer<typeof RecordDetail> }): ReactNode => {
  const { t } = useTranslation();
  const leaf = grouped(record.leafIndex);
  const state = check?.state ?? 'unchecked';
  const sentence = {
    proven: t('ledger.proven', { leaf, size: grouped(check?.size ?? proof.size) }),
    altered: t('ledger.altered', { n: leaf }),
    unchecked: t('ledger.unchecked'),
  }[state];
  return (
    <section aria-label={t('ledger.check')}>
      <div className={classes.verdict} role="status">
        <Seal state={state} />
        <div>
          <p className={classes.sentence}>{sentence}</p>
          <p className={book.dim}>
            {t('ledger.checkedAt', { time: clockSeconds(at), size: grouped(check?.size ?? proof.size) })}
          </p>
        </div>
      </div>
      {check && (
        <>
          <ol className={classes.steps}>
            {(['leaf', 'path', 'signature'] as const).map((step) => (
              <li key={step}>
                <Mark state={check.steps[step] ? 'good' : 'bad'}>{t(`ledger.steps.${step}`)}</Mark>
              </li>
            ))}
          </ol>
          <dl className={book.list}>
            <div>
              <dt>{t('ledger.leaf')}</dt>
              <dd>
                <Hash value={record.leafHash} />
              </dd>
            </div>
            <div>
              <dt>{t('ledger.path')}</dt>
              <dd>
                {proof.path.map((node) => (
                  <div key={node}>
                    <Hash value={node} />
                  </div>
                ))}
              </dd>
            </div>
            <div>
              <dt>{t('ledger.root')}</dt>
              <dd>
                <Hash value={check.root} />
              </dd>
            </div>
            <div>
              <dt>{t('ledger.key')}</dt>
              <dd>
                <Hash value={check.keyId} />
              </dd>
            </div>
          </dl>
        </>
      )}
      <p className={book.more}>
        <Button variant="default" onClick={() => download(`leaf-${record.leafIndex}.tlog-proof`, proof.tlogProof)}>
          {t('ledger.download')}
        </Button>
      </p>
    </section>
  );
};
