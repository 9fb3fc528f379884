import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiProblem, call } from '../api/client.js';
import { useAgents } from '../api/queries.js';
import type { LedgerSearch } from '../router.js';
import { ProblemNotice } from '../shared/problem-notice.js';
import { searchTarget } from './search-target.js';
import classes from './ledger.module.css';

/** Finds a person or an agent, and a time. What identifies a person is posted, never part of an address. */
export const SearchForm = ({
  search,
  subject,
  agent,
}: {
  readonly search: LedgerSearch;
  readonly subject: string | undefined;
  readonly agent: string | undefined;
}): ReactNode => {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const agents = useAgents();
  const [person, setPerson] = useState(subject ?? '');
  const [actor, setActor] = useState(agent ?? '');
  const [from, setFrom] = useState(search.from ?? '');
  const [to, setTo] = useState(search.to ?? '');
  const dates = { ...(from && { from }), ...(to && { to }) };
  const find = useMutation({
    mutationFn: async (text: string): Promise<string> => {
      const target = searchTarget(text);
      if (target.kind === 'subject') return target.id;
      return (await call<{ subjectId: string }>('POST', '/v1/subjects/lookup', { body: target.body })).body.subjectId;
    },
    onSuccess: (id) => navigate({ to: '/ledger/people/$subject', params: { subject: id }, search: dates }),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (person.trim() !== '') find.mutate(person);
    else if (actor !== '') void navigate({ to: '/ledger/agents/$agent', params: { agent: actor }, search: dates });
  };
  const unknown = find.error instanceof ApiProblem && find.error.problem.code === 'NOT_FOUND';
  return (
    <search>
      <form className={classes.search} onSubmit={submit}>
        <TextInput
          label={t('ledger.person')}
          value={person}
          autoComplete="off"
          spellCheck={false}
          className={classes.person}
          onChange={(event) => {
            setPerson(event.target.value);
            setActor('');
          }}
        />
        <NativeSelect
          label={t('ledger.agent')}
          value={actor}
          data={[
            { value: '', label: '–' },
            ...(agents.data?.items.map(({ agentId, label }) => ({ value: agentId, label })) ?? []),
            ...(agent !== undefined && !agents.data?.items.some(({ agentId }) => agentId === agent)
              ? [{ value: agent, label: agent.slice(0, 8) }]
              : []),
          ]}
          onChange={(event) => {
            setActor(event.target.value);
            setPerson('');
          }}
        />
        <TextInput type="date" label={t('ledger.from')} value={from} onChange={(event) => setFrom(event.target.value)} />
        <TextInput type="date" label={t('ledger.to')} value={to} onChange={(event) => setTo(event.target.value)} />
        <Button type="submit" disabled={find.isPending || (person.trim() === '' && actor === '')}>
          {t('ledger.search')}
        </Button>
      </form>
      {unknown && <p role="alert">{t('ledger.unknown')}</p>}
      {find.error && !unknown && <ProblemNotice error={find.error} />}
    </search>
  );
};
