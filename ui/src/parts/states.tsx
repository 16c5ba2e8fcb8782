/** What a page shows when it has nothing to show: it waits, it is empty, it failed, it may not. */
import { Button, Center, Group, Loader, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import { IconAlertTriangle, IconInbox, IconLock, IconMapOff, IconPlugConnectedX } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { ApiError } from '~/api/http';
import css from './table.module.css';

export function Loading({ label = 'Loading' }: { label?: string }) {
  return (
    <Center mih={240} role="status" aria-label={label}>
      <Loader type="dots" />
    </Center>
  );
}

type Shown = { icon: ReactNode; title: string; children?: ReactNode; action?: ReactNode; color?: string };

export function Notice({ icon, title, children, action, color = 'iris' }: Shown) {
  return (
    <Center mih={260} p="md">
      <Stack align="center" gap="sm" maw={460}>
        <ThemeIcon size={56} radius="xl" variant="light" color={color} aria-hidden>
          {icon}
        </ThemeIcon>
        <Title order={2} size="h3" ta="center">
          {title}
        </Title>
        {children && (
          <Text c="dimmed" ta="center" className="anyword" component="div">
            {children}
          </Text>
        )}
        {action && <Group mt="xs">{action}</Group>}
      </Stack>
    </Center>
  );
}

export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <Notice icon={<IconInbox size={28} />} title={title} action={action}>
      {children}
    </Notice>
  );
}

/** A list without a line, on a page that has more to show. */
export function Blank({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={css.blank}>
      <Text fw={600} size="sm">
        {title}
      </Text>
      {children && (
        <Text size="sm" c="dimmed" maw={520} component="div">
          {children}
        </Text>
      )}
    </div>
  );
}

export function NotThere() {
  return (
    <Notice
      icon={<IconMapOff size={28} />}
      title="There is no such page"
      action={
        <Button component={Link} to="/">
          To the start
        </Button>
      }
    >
      The address may be old, or mistyped.
    </Notice>
  );
}

export function NoPermission({ children }: { children?: ReactNode }) {
  return (
    <Notice icon={<IconLock size={28} />} title="This is not open to you" color="yellow">
      {children ?? 'An owner or admin of your workspace can see this page, or give you the role.'}
    </Notice>
  );
}

export function Failed({ error, retry }: { error: unknown; retry?: () => void }) {
  const known = error instanceof ApiError ? error : null;
  if (known?.status === 403) return <NoPermission>{known.message}</NoPermission>;
  return (
    <Notice
      icon={known?.offline ? <IconPlugConnectedX size={28} /> : <IconAlertTriangle size={28} />}
      title={known?.offline ? 'The gateway does not answer' : 'That did not work'}
      color="red"
      action={
        retry && (
          <Button variant="default" onClick={retry}>
            Try again
          </Button>
        )
      }
    >
      <div role="alert">{error instanceof Error ? error.message : 'Unknown error'}</div>
      {known?.requestId && <code>{known.requestId}</code>}
    </Notice>
  );
}
