/** One figure that says how something is, with what it is above it. */
import { Paper, Text } from '@mantine/core';
import type { ReactNode } from 'react';

type Props = { title: string; note?: ReactNode; small?: boolean; children: ReactNode };

export function Figure({ title, note, small = false, children }: Props) {
  return (
    <Paper withBorder p={small ? 'sm' : 'md'}>
      <Text size={small ? 'xs' : 'sm'} c="dimmed">
        {title}
      </Text>
      <Text fz={small ? 17 : 25} fw={630} lh={1.3} className="numbers anyword" style={{ letterSpacing: '-0.02em' }}>
        {children}
      </Text>
      {note && (
        <Text size="xs" c="dimmed" mt={2}>
          {note}
        </Text>
      )}
    </Paper>
  );
}
