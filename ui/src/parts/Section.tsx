/** A part of a page: what it is called, what it is for, and what can be done there. */
import { Group, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

type Props = { title: string; about?: ReactNode; actions?: ReactNode; children?: ReactNode };

export function Section({ title, about, actions, children }: Props) {
  return (
    <section style={{ marginBottom: 40 }}>
      <Group justify="space-between" align="flex-end" gap="sm" mb="sm">
        <div style={{ flex: '1 1 320px', minWidth: 0 }}>
          <Title order={2} size="h4">
            {title}
          </Title>
          {about && (
            <Text size="sm" c="dimmed" maw={640} mt={2} component="div">
              {about}
            </Text>
          )}
        </div>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </section>
  );
}
