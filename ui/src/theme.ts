import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core';

const iris: MantineColorsTuple = [
  '#eff1ff',
  '#dfe3ff',
  '#bcc4ff',
  '#96a1ff',
  '#7683fb',
  '#5f6cf5',
  '#525eea',
  '#434ed0',
  '#3944b4',
  '#2c3590',
];

const night: MantineColorsTuple = [
  '#dfe3ec',
  '#c2c8d6',
  '#a3abbd',
  '#7d8699',
  '#3a4253',
  '#2b313d',
  '#1f2430',
  '#13161e',
  '#0f1219',
  '#0a0c11',
];

export const theme = createTheme({
  colors: { iris, dark: night },
  primaryColor: 'iris',
  primaryShade: { light: 7, dark: 7 },
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', sans-serif",
  fontFamilyMonospace: "'JetBrains Mono Variable', ui-monospace, Menlo, Consolas, monospace",
  headings: { fontWeight: '650' },
  components: {
    Tooltip: { defaultProps: { withArrow: true, openDelay: 250 } },
    Badge: {
      defaultProps: { variant: 'light', radius: 'sm' },
      styles: { root: { textTransform: 'none', flexShrink: 0 }, label: { overflow: 'visible' } },
    },
    Paper: { defaultProps: { radius: 'lg' } },
    Card: { defaultProps: { radius: 'lg', withBorder: true } },
    Modal: {
      defaultProps: { centered: true, radius: 'lg' },
      styles: { title: { fontWeight: 650, overflowWrap: 'anywhere', minWidth: 0 } },
    },
  },
});

// The library's quiet text is too faint for the contrast people need.
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#5b6270',
    '--mantine-color-placeholder': '#6b7280',
    '--mantine-color-body': '#ffffff',
    '--mantine-color-text': '#161a23',
    '--cx-canvas': '#f6f7fb',
    '--cx-surface': '#ffffff',
    '--cx-raised': '#ffffff',
    '--cx-line': '#e3e6ee',
    '--cx-tint': '#eef0ff',
    '--cx-code': '#f5f6fa',
    '--cx-accent': '#434ed0',
  },
  dark: {
    '--mantine-color-dimmed': '#a3abbd',
    '--mantine-color-placeholder': '#8d96a8',
    '--mantine-color-body': '#11141b',
    '--mantine-color-text': '#e6e9f0',
    '--mantine-color-default-border': '#2b313d',
    '--mantine-color-default': '#191d26',
    '--mantine-color-default-hover': '#222733',
    '--cx-canvas': '#0c0e14',
    '--cx-surface': '#13161e',
    '--cx-raised': '#191d26',
    '--cx-line': '#262c38',
    '--cx-tint': '#1c2140',
    '--cx-code': '#0e1118',
    '--cx-accent': '#96a1ff',
  },
});
