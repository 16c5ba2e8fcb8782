import {
  ActionIcon,
  Button,
  Drawer,
  Group,
  Menu,
  Stack,
  Text,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import {
  IconAdjustments,
  IconChartLine,
  IconLogout,
  IconMenu2,
  IconMessageCircle,
  IconMoon,
  IconStack2,
  IconSun,
  IconUserCircle,
} from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { administers, type Session, useSession, useSigning } from '~/api/session';
import { Mark } from './Mark';
import css from './shell.module.css';

function Tabs({ session, chosen }: { session: Session; chosen?: () => void }) {
  const tab = { className: css.tab, onClick: chosen };
  return (
    <>
      {session.signed_in && (
        <Link to="/chat" {...tab}>
          <IconMessageCircle size={17} /> Chat
        </Link>
      )}
      <Link to="/catalogue" {...tab}>
        <IconStack2 size={17} /> Catalogue
      </Link>
      {session.signed_in && (
        <Link to="/usage" {...tab}>
          <IconChartLine size={17} /> Usage
        </Link>
      )}
      {administers(session) && (
        <Link to="/console" {...tab}>
          <IconAdjustments size={17} /> Console
        </Link>
      )}
    </>
  );
}

export function Header() {
  const session = useSession();
  const [open, drawer] = useDisclosure(false);
  return (
    <header className={css.header}>
      <ActionIcon variant="subtle" color="gray" size="lg" hiddenFrom="sm" aria-label="Menu" onClick={drawer.open}>
        <IconMenu2 size={20} />
      </ActionIcon>
      <Link to="/" className={css.brand} aria-label="Conflux, to the start">
        <Mark /> Conflux
      </Link>
      <Group component="nav" className={css.tabs} visibleFrom="sm" aria-label="Main" gap={4} wrap="nowrap">
        <Tabs session={session} />
      </Group>
      <Group ml="auto" gap={6} wrap="nowrap">
        <SchemeButton />
        {session.signed_in ? (
          <Person session={session} />
        ) : (
          <Button component={Link} to="/signin" size="xs" radius="md">
            Sign in
          </Button>
        )}
      </Group>
      <Drawer
        opened={open}
        onClose={drawer.close}
        size="xs"
        title="Conflux"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <Stack component="nav" gap={4} className={css.drawer} aria-label="Main">
          <Tabs session={session} chosen={drawer.close} />
        </Stack>
      </Drawer>
    </header>
  );
}

function SchemeButton() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light');
  const other = scheme === 'dark' ? 'light' : 'dark';
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size="lg"
      aria-label={`Use the ${other} colours`}
      onClick={() => setColorScheme(other)}
    >
      {scheme === 'dark' ? <IconSun size={19} /> : <IconMoon size={19} />}
    </ActionIcon>
  );
}

function Person({ session }: { session: Session }) {
  const { signOut } = useSigning();
  const navigate = useNavigate();
  const leave = async () => {
    await signOut();
    await navigate({ to: '/signin' });
  };
  return (
    <Menu position="bottom-end" width={230} shadow="md">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Your account">
          <IconUserCircle size={21} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Stack gap={0} px="sm" py={6}>
          <Text size="sm" fw={600} className="anyword">
            {session.user}
          </Text>
          <Text size="xs" c="dimmed" className="anyword">
            {session.house ? 'the whole gateway' : `${session.role} of ${session.workspace}`}
          </Text>
        </Stack>
        <Menu.Divider />
        <Menu.Item component={Link} to="/account" leftSection={<IconUserCircle size={16} />}>
          Account
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void leave()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
