import type { ConversationDetail } from '@centralita/contracts';
import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { command } from '../api/client.js';
import { refreshThread } from '../api/live-refresh.js';
import { announce } from '../shared/announcer.js';
import { useNow } from '../shared/clock.js';
import { preferences } from '../shared/preferences.js';
import { ProblemNotice } from '../shared/problem-notice.js';
import { useShortcut } from '../shared/shortcut.js';
import { timeOrDay, windowState } from '../shared/time.js';
import { WindowLine } from '../shared/window-line.js';
import { drafts } from './drafts.js';
import { outbox, useOutbox } from './outbox.js';
import { replyMode } from './reply-mode.js';
import { ReturnedReply } from './returned-reply.js';
import { TemplatePicker } from './template-picker.js';
import classes from './composer.module.css';

/** Does this key press send? Never while an input method is composing: Enter then only ends a word. */
const sends = (event: KeyboardEvent): boolean => {
  if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing || event.keyCode === 229) return false;
  const withModifier = event.ctrlKey || event.metaKey;
  return withModifier || (preferences.get('sendWith') ?? 'enter') === 'enter';
};

/** Says when the open conversation's window has one of its last moments; the chip itself stays silent. */
const useWindowAnnouncements = (expiresAt: string | null): void => {
  const { t } = useTranslation();
  const left = windowState(expiresAt, useNow()).leftMs;
  const before = useRef(left);
  useEffect(() => {
    for (const minutes of [240, 60, 10]) {
      const mark = minutes * 60_000;
      if (before.current > mark && left <= mark && left > 0)
        announce(
          t('window.announce', {
            time: t(minutes >= 60 ? 'time.hour' : 'time.minute', { n: minutes >= 60 ? minutes / 60 : minutes }),
          }),
        );
    }
    if (before.current > 0 && left === 0) announce(t('window.announceClosed'));
    before.current = left;
  }, [left, t]);
};

/**
 * Where an answer or a note is written. When the window is closed, or lapses while somebody types, it becomes a template picker: text
 * and focus stay. The server decides; this follows.
 */
export const Composer = ({ detail }: { readonly detail: ConversationDetail }): ReactNode => {
  const { t } = useTranslation();
  const client = useQueryClient();
  const id = detail.conversationId;
  const now = useNow();
  const mode = replyMode(detail, now);
  // Until somebody chooses or writes, the tab follows what is allowed: an assignment may arrive a moment after the conversation.
  const [chosen, setTab] = useState<'reply' | 'note' | null>(null);
  const tab = chosen ?? (mode === 'no' ? 'note' : 'reply');
  const [texts, setTexts] = useState(() => drafts.get(id));
  const area = useRef<HTMLTextAreaElement>(null);
  const { returned } = useOutbox(id);
  useWindowAnnouncements(detail.windowExpiresAt);

  const write = (kind: 'reply' | 'note', text: string): void => {
    drafts.set(id, kind, text);
    setTab(kind);
    setTexts(drafts.get(id));
  };
  const show = (kind: 'reply' | 'note'): void => {
    setTab(kind);
    // After the change, so that the focus is in the text that is shown.
    requestAnimationFrame(() => area.current?.focus());
  };
  useShortcut('KeyL', () => show('reply'));
  useShortcut('KeyP', () => show('note'));

  const note = useMutation({
    mutationFn: (text: string) => command('POST', `/v1/conversations/${id}/notes`, { text }),
    onSuccess: () => {
      drafts.set(id, 'note', '');
      setTexts(drafts.get(id));
      return refreshThread(client, id);
    },
  });

  const text = texts[tab];
  const canSend = text.trim() !== '' && (tab === 'note' ? !note.isPending : mode === 'text');
  const send = (): void => {
    if (!canSend) return;
    if (tab === 'note') return note.mutate(text.trim());
    outbox.send(id, { kind: 'text', text: text.trim() }, text.trim());
    write('reply', '');
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!sends(event)) return;
    event.preventDefault();
    send();
  };

  const asTemplate = tab === 'reply' && mode === 'template';
  const barred = tab === 'reply' && mode === 'no';
  return (
    <section className={classes.composer} aria-label={t('composer.label')} data-tab={tab}>
      <WindowLine expiresAt={detail.windowExpiresAt} direction="horizontal" />
      {returned && (
        <ReturnedReply
          returned={returned}
          id={id}
          onEdit={() => {
            write('reply', [returned.text, texts.reply].filter(Boolean).join('\n'));
            outbox.forget(id);
            show('reply');
          }}
        />
      )}
      <div className={classes.tabs}>
        <div role="tablist" aria-label={t('composer.label')}>
          {(['reply', 'note'] as const).map((kind) => (
            <button
              key={kind}
              type="button"
              role="tab"
              id={`tab-${kind}`}
              aria-controls="composer-panel"
              aria-selected={tab === kind}
              tabIndex={tab === kind ? 0 : -1}
              className={classes.tab}
              onClick={() => show(kind)}
              onKeyDown={(event) => {
                if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') setTab(kind === 'reply' ? 'note' : 'reply');
              }}
            >
              {kind === 'reply' && mode === 'template' ? t('composer.template') : t(`composer.${kind}`)}
            </button>
          ))}
        </div>
        <p className={classes.hint}>
          {asTemplate && detail.windowExpiresAt && (
            <>
              {t('window.closedAt', { time: timeOrDay(detail.windowExpiresAt, now) })} {t('window.reopens')}
            </>
          )}
          {tab === 'reply' && mode === 'text' && t('composer.billed')}
        </p>
      </div>
      <div role="tabpanel" id="composer-panel" aria-labelledby={`tab-${tab}`} className={classes.panel}>
        {barred && (
          <p className={classes.barred}>
            {t(detail.whyNot === 'CONVERSATION_CLOSED' ? 'composer.conversationClosed' : 'composer.notYours')}
          </p>
        )}
        {asTemplate && (
          <TemplatePicker
            language={detail.language}
            draft={texts.reply}
            onSend={(body, preview) => outbox.send(id, body, preview)}
          />
        )}
        {!barred && (
          <div className={classes.write}>
            <textarea
              ref={area}
              className={classes.area}
              data-draft={asTemplate}
              maxLength={4096}
              dir="auto"
              value={text}
              aria-label={t(tab === 'note' ? 'composer.notePlaceholder' : asTemplate ? 'composer.draft' : 'composer.placeholder')}
              placeholder={t(
                tab === 'note' ? 'composer.notePlaceholder' : asTemplate ? 'composer.draft' : 'composer.placeholder',
              )}
              onChange={(event) => write(tab, event.target.value)}
              onKeyDown={onKeyDown}
            />
            {asTemplate ? (
              <span className={classes.kept}>{texts.reply.trim() === '' ? '' : t('composer.kept')}</span>
            ) : (
              <Button onClick={send} disabled={!canSend} color={tab === 'note' ? 'violet' : undefined}>
                {t(tab === 'note' ? 'composer.saveNote' : 'composer.send')}
              </Button>
            )}
          </div>
        )}
        {note.error && tab === 'note' && <ProblemNotice error={note.error} onRetry={() => note.mutate(texts.note.trim())} />}
      </div>
    </section>
  );
};
