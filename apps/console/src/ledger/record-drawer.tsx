import type { RecordDetail } from '@centralita/contracts';
import { Button, Drawer } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { z } from 'zod';
import { get } from '../api/client.js';
import book from '../shared/book.module.css';
import { Hash } from '../shared/hash.js';
import { useAgentName } from '../shared/labels.js';
import { ProblemNotice } from '../shared/problem-notice.js';
import { grouped, utcTime } from '../shared/time.js';
import { Waiting } from '../shared/waiting.js';
import { fetchAndCheck } from './fetch-proof.js';
import { ProofResult } from './proof-result.js';
import { Verified, useWords } from './words.js';
import classes from './ledger.module.css';

type Detail = z.infer<typeof RecordDetail>;

const Facts = ({ record }: { readonly record: Detail }): ReactNode => {
  const { t } = useTranslation();
  const agent = useAgentName();
  const words = useWords();
  const { leaf } = record;
  const facts: readonly (readonly [string, ReactNode])[] = [
    [t('ledger.when'), <time dateTime={leaf.occurredAt}>{utcTime(leaf.occurredAt)}</time>],
    [
      t('ledger.who'),
      <>
        {agent(leaf.actor.id)}, {t(`role.${leaf.actor.role}`)}
      </>,
    ],
    [t('ledger.shown'), words.shown(leaf)],
    [t('ledger.reason'), t(`reasonCode.${leaf.reason.code}`)],
    [t('ledger.verified'), <Verified verified={leaf.verified} />],
    [t('ledger.action'), <code>{leaf.action}</code>],
    [t('ledger.service'), leaf.service],
    [
      t('ledger.resource'),
      <>
        {leaf.resource.type} <Hash value={leaf.resource.id} />
      </>,
    ],
    [t('ledger.count'), grouped(leaf.resultCount)],
  ];
  return (
    <dl className={book.list}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
};

/** One record: what it says, and the proof that it stands in the log as it was written, checked in this page. */
export const RecordDrawer = ({ leafIndex, onClose }: { readonly leafIndex: string; readonly onClose: () => void }): ReactNode => {
  const { t } = useTranslation();
  const record = useQuery({
    queryKey: ['record', leafIndex],
    queryFn: async ({ signal }) => (await get<Detail>(`/v1/records/${leafIndex}`, { signal })).body,
  });
  const check = useMutation({ mutationFn: fetchAndCheck });
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size={480}
      title={`${t('ledger.leaf')} ${grouped(leafIndex)}`}
      closeButtonProps={{ 'aria-label': t('ledger.close') }}
      transitionProps={{ duration: 140 }}
    >
      <div className={book.drawer}>
        {record.isPending && <Waiting rows={8} height={32} />}
        {record.error && <ProblemNotice error={record.error} onRetry={() => void record.refetch()} />}
        {record.data && (
          <>
            <Facts record={record.data} />
            {check.data ? (
              <ProofResult record={record.data} {...check.data} />
            ) : (
              <p>
                <Button disabled={check.isPending} onClick={() => check.mutate(record.data)}>
                  {t(check.isPending ? 'ledger.checking' : 'ledger.check')}
                </Button>
              </p>
            )}
            {check.error && <ProblemNotice error={check.error} onRetry={() => check.mutate(record.data)} />}
            <details className={classes.raw}>
              <summary>{t('ledger.raw')}</summary>
              <pre tabIndex={0}>{record.data.leafText}</pre>
            </details>
          </>
        )}
      </div>
    </Drawer>
  );
};
