/** The frame of every page that is not the chat: a title, what it is, and what can be done at once. */
import { Container, Group, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

type Props = { title: string; about?: ReactNode; actions?: ReactNode; children: ReactNode; wide?: boolean };

export function Page({ title, about, actions, children, wide = false }: Props) {
  return (
    <Container size={wide ? 1400 : 1080} px={{ base: 'md', sm: 'xl' }} py={{ base: 'lg', sm: 32 }}>
      <Group justify="space-between" align="flex-end" mb="lg" gap="sm">
        <div style={{ flex: '1 1 420px', minWidth: 0 }}>
          <Title order={1} size="h2" className="anyword" style={{ letterSpacing: '-0.02em' }}>
            {title}
          </Title>
          {about && (
            <Text c="dimmed" mt={4} maw={680} component="div">
              {about}
            </Text>
          )}
        </div>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </Container>
  );
}
