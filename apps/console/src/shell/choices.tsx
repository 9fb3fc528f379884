import { useMantineColorScheme } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Language } from '../i18n/index.js';
import { Choice } from '../shared/choice.js';
import { preferences } from '../shared/preferences.js';

export const LanguageChoice = (): ReactNode => {
  const { t, i18n } = useTranslation();
  return (
    <Choice<Language>
      label={t('settings.language')}
      value={i18n.language as Language}
      options={[
        { value: 'es', label: <span lang="es">Español</span> },
        { value: 'en', label: <span lang="en">English</span> },
        { value: 'pt', label: <span lang="pt">Português</span> },
      ]}
      onChange={(language) => {
        preferences.set('language', language);
        void i18n.changeLanguage(language);
      }}
    />
  );
};

export const SchemeChoice = (): ReactNode => {
  const { t } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Choice
      label={t('settings.scheme')}
      value={colorScheme}
      options={[
        { value: 'light', label: t('settings.light') },
        { value: 'dark', label: t('settings.dark') },
        { value: 'auto', label: t('settings.auto') },
      ]}
      onChange={setColorScheme}
    />
  );
};

export const DensityChoice = (): ReactNode => {
  const { t } = useTranslation();
  const [density, setDensity] = useState(preferences.get('density') ?? 'comfortable');
  return (
    <Choice
      label={t('settings.density')}
      value={density}
      options={[
        { value: 'comfortable', label: t('settings.comfortable') },
        { value: 'compact', label: t('settings.compact') },
      ]}
      onChange={(value) => {
        preferences.set('density', value);
        setDensity(value);
      }}
    />
  );
};

export const SendChoice = (): ReactNode => {
  const { t } = useTranslation();
  const [sendWith, setSendWith] = useState(preferences.get('sendWith') ?? 'enter');
  return (
    <Choice
      label={t('settings.send')}
      value={sendWith}
      options={[
        { value: 'enter', label: t('settings.enter') },
        { value: 'mod-enter', label: t('settings.modEnter') },
      ]}
      onChange={(value) => {
        preferences.set('sendWith', value);
        setSendWith(value);
      }}
    />
  );
};

const onOff = (t: (key: string) => string) =>
  [
    { value: 'on', label: t('settings.on') },
    { value: 'off', label: t('settings.off') },
  ] as const;

export const OfferSoundChoice = (): ReactNode => {
  const { t } = useTranslation();
  const [value, setValue] = useState(preferences.get('offerSound') ?? 'on');
  return (
    <Choice
      label={t('settings.offerSound')}
      value={value}
      options={onOff(t)}
      onChange={(chosen) => {
        preferences.set('offerSound', chosen);
        setValue(chosen);
      }}
    />
  );
};

/** Off until it is chosen: the browser asks for leave then, and its no is final here. */
export const OfferNoticeChoice = (): ReactNode => {
  const { t } = useTranslation();
  const [value, setValue] = useState(preferences.get('offerNotice') ?? 'off');
  const choose = async (chosen: 'on' | 'off'): Promise<void> => {
    const allowed = chosen === 'off' || (await Notification.requestPermission()) === 'granted';
    const kept = allowed ? chosen : 'off';
    preferences.set('offerNotice', kept);
    setValue(kept);
  };
  return <Choice label={t('settings.offerNotice')} value={value} options={onOff(t)} onChange={(chosen) => void choose(chosen)} />;
};
