import type { ReplyBody, Template } from '@centralita/contracts';
import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useTemplates } from '../api/queries.js';
import { ProblemNotice } from '../shared/problem-notice.js';
import { fillTemplate, sortTemplates, templateKey } from './templates.js';
import classes from './composer.module.css';

/** Chooses an approved template, fills its values and shows what the customer will read. */
export const TemplatePicker = ({
  language,
  draft,
  onSend,
}: {
  readonly language: string | null;
  readonly draft: string;
  readonly onSend: (body: ReplyBody, preview: string) => void;
}): ReactNode => {
  const { t, i18n } = useTranslation();
  const templates = useTemplates();
  const [chosen, setChosen] = useState<string | null>(null);
  const [values, setValues] = useState<readonly string[]>([]);
  if (templates.error) return <ProblemNotice error={templates.error} onRetry={() => void templates.refetch()} />;

  const offered = sortTemplates(templates.data?.items ?? [], language ?? i18n.language);
  const template: Template | undefined = offered.find((each) => templateKey(each) === chosen) ?? offered[0];
  if (!template) return <p className={classes.hint}>{t('composer.noTemplates')}</p>;
  const filled = Array.from({ length: template.variables }, (_, index) => values[index] ?? '');
  const complete = filled.every((value) => value.trim() !== '');
  const preview = fillTemplate(template.body, filled);
  const set = (index: number, value: string): void => setValues(filled.with(index, value));
  const firstEmpty = filled.findIndex((value) => value.trim() === '');
  return (
    <div className={classes.picker}>
      <p className={classes.closed}>{t('window.closedText')}</p>
      <div className={classes.fields}>
        <NativeSelect
          label={t('composer.pick')}
          value={templateKey(template)}
          onChange={(event) => {
            setChosen(event.target.value);
            setValues([]);
          }}
          data={offered.map((each) => ({
            value: templateKey(each),
            label: `${each.name} · ${each.language} · ${t(`composer.category.${each.category}`)}`,
          }))}
        />
        {filled.map((value, index) => (
          <TextInput
            key={index}
            label={t('composer.value', { n: index + 1 })}
            dir="auto"
            maxLength={1024}
            value={value}
            onChange={(event) => set(index, event.target.value)}
          />
        ))}
        {draft.trim() !== '' && firstEmpty >= 0 && (
          <Button size="xs" variant="default" onClick={() => set(firstEmpty, draft.trim())}>
            {t('composer.useDraft')}
          </Button>
        )}
      </div>
      <figure className={classes.preview}>
        <figcaption>{t('composer.preview')}</figcaption>
        <p dir="auto" lang={template.language}>
          {preview}
        </p>
        <Button
          size="xs"
          disabled={!complete}
          onClick={() => {
            onSend({ kind: 'template', template: template.name, language: template.language, values: [...filled] }, preview);
            setValues([]);
          }}
        >
          {t('composer.sendTemplate')}
        </Button>
      </figure>
    </div>
  );
};
