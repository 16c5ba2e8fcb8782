import {
  Alert,
  Anchor,
  Button,
  Center,
  Paper,
  PasswordInput,
  SegmentedControl,
  Stack,
  Text,
  TextInput,
  Title,
} from '@mantine/core';
import { Link, useRouter } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useSigning } from '~/api/session';
import { Mark } from './Mark';

type Way = 'key' | 'password';

export function SignInPage({ next }: { next?: string | undefined }) {
  const [way, setWay] = useState<Way>('key');
  const [key, setKey] = useState('');
  const [workspace, setWorkspace] = useState('default');
  const [user, setUser] = useState('');
  const [password, setPassword] = useState('');
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const { signIn } = useSigning();
  const router = useRouter();

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setWrong(null);
    try {
      await signIn(way === 'key' ? { key: key.trim() } : { workspace, user, password });
      if (next) router.history.push(next);
      else await router.navigate({ to: '/chat' });
    } catch (error) {
      setWrong(error instanceof Error ? error.message : 'That did not work.');
    } finally {
      setBusy(false);
    }
  };

  return (
    <Center mih="100%" p="md">
      <Stack w="100%" maw={420} gap="lg">
        <Stack align="center" gap={8}>
          <Mark size={52} />
          <Title order={1} size="h2" ta="center">
            Sign in to Conflux
          </Title>
          <Text c="dimmed" ta="center" size="sm">
            One catalogue, one router, one ledger.
          </Text>
        </Stack>
        <Paper withBorder p="lg" shadow="sm">
          <form onSubmit={(event) => void submit(event)}>
            <Stack>
              <SegmentedControl
                fullWidth
                aria-label="How to sign in"
                value={way}
                onChange={(value) => setWay(value as Way)}
                data={[
                  { value: 'key', label: 'Admin key' },
                  { value: 'password', label: 'Name and password' },
                ]}
              />
              {way === 'key' ? (
                <PasswordInput
                  label="Admin key"
                  description="Printed when the gateway started for the first time"
                  placeholder="cf_live_…"
                  autoComplete="off"
                  required
                  value={key}
                  onChange={(event) => setKey(event.currentTarget.value)}
                  visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the key' }}
                />
              ) : (
                <>
                  <TextInput
                    label="Workspace"
                    required
                    autoComplete="organization"
                    value={workspace}
                    onChange={(event) => setWorkspace(event.currentTarget.value)}
                  />
                  <TextInput
                    label="User"
                    required
                    autoComplete="username"
                    value={user}
                    onChange={(event) => setUser(event.currentTarget.value)}
                  />
                  <PasswordInput
                    label="Password"
                    required
                    autoComplete="current-password"
                    value={password}
                    onChange={(event) => setPassword(event.currentTarget.value)}
                    visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
                  />
                </>
              )}
              {wrong && (
                <Alert color="red" variant="light" role="alert" className="anyword">
                  {wrong}
                </Alert>
              )}
              <Button type="submit" loading={busy} fullWidth>
                Sign in
              </Button>
            </Stack>
          </form>
        </Paper>
        <Text size="sm" c="dimmed" ta="center">
          {way === 'key' ? 'Lost it? ' : 'No password yet? Ask your admin. '}
          {way === 'key' && <code>conflux keys create --admin</code>}
          {way === 'key' && ' makes another. '}
          <Anchor component={Link} to="/catalogue" underline="always">
            See the catalogue
          </Anchor>
        </Text>
      </Stack>
    </Center>
  );
}
