/** The console's own menu beside its pages; who administers one workspace sees what is theirs. */
import { ScrollArea } from '@mantine/core';
import { Link, Outlet } from '@tanstack/react-router';
import { administers, useSession } from '~/api/session';
import { NoPermission } from '~/parts/states';
import css from './console.module.css';

const PAGES = [
  ['/console', 'Overview', true],
  ['/console/models', 'Models', true],
  ['/console/pools', 'Pools', true],
  ['/console/providers', 'Providers', true],
  ['/console/policies', 'Policies', false],
  ['/console/keys', 'Keys', false],
  ['/console/people', 'People', false],
  ['/console/audit', 'Audit log', false],
] as const;

export function ConsoleFrame() {
  const session = useSession();
  if (!administers(session)) return <NoPermission />;
  return (
    <div className={css.frame}>
      <ScrollArea className={css.side} type="never">
        <nav aria-label="Console" className={css.menu}>
          {PAGES.filter(([, , house]) => session.house || !house).map(([to, title]) => (
            <Link key={to} to={to} activeOptions={{ exact: true }} className={css.item}>
              {title}
            </Link>
          ))}
        </nav>
      </ScrollArea>
      <div className={css.page}>
        <Outlet />
      </div>
    </div>
  );
}
