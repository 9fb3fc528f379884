import type { MantineColorsTuple } from '@mantine/core';

const shades = (list: string): MantineColorsTuple => list.split(' ').map((hex) => `#${hex}`) as unknown as MantineColorsTuple;

/** Shades 0-9. Surfaces are enamel grey-green; petrol means yours, selected, act; amber and red mean time or failure; green is proven; violet is an internal note. */
export const colors = {
  gray: shades('F8FAF9 EFF4F1 E4E9E5 D4DBD6 B8C0BA 7C867F 555F58 3C473F 27302A 18201B'),
  dark: shades('E5E9E6 C9CFCC A3ACA7 79837D 3B433E 2C342F 1F2722 161D19 101613 0B100D'),
  petrol: shades('F2F9FA E3F1F3 C5E3E7 9BCFD7 77BDC7 539EA9 2D7B86 145E68 064D55 003940'),
  amber: shades('FFF7EE FFEDD9 FED8AE FBBD73 ECA54A C98421 9A6206 805003 6A4101 513101'),
  red: shades('FFF5F4 FFE9E5 FED0C9 FEA69B FA8072 DB594D BA3A32 9D251F 831915 680F0C'),
  green: shades('F1FBF5 DFF5E8 C1E9D2 9BD7B6 7AC69E 59A47E 38805D 216747 105337 023F27'),
  violet: shades('F8F7FD F0EDF9 E2DBF4 CCBFEB B8A8E0 9887C0 736298 5E4E7F 4D3E6B 3A2D53'),
} as const;
export const white = '#FDFEFD';
export const black = '#18201B';
