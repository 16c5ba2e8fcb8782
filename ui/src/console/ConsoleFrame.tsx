/** The console's own menu beside its pages; who administers one workspace sees what is theirs. */
import { ScrollArea } from '@mantine/core';
import { Link, Outlet, useMatches, useRouter } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { administers, useSession } from '~/api/session';
import { NoPermission } from '~/parts/states';
import css from './console.module.css';
import { forHouseAlone, groupsFor } from './pages';

export function ConsoleFrame() {
  const session = useSession();
  // Not the location: it changes before the page does, and the page that is left would be shown, and ask, once more.
  const path = useMatches({ select: (all) => all.at(-1)?.fullPath ?? '' });
  const menu = useRef<HTMLElement>(null);
  const router = useRouter();
  useEffect(() => {
    // On a phone the menu is one line: the page that is open is in sight of it. After the router, which puts every box
    // back to where it was scrolled to.
    const show = () =>
      menu.current?.querySelector('[aria-current=page]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
    show();
    return router.subscribe('onRendered', show);
  }, [router]);
  if (!administers(session)) return <NoPermission />;
  const house = Boolean(session.house);
  return (
    <div className={css.frame}>
      <ScrollArea className={css.side} type="never">
        <nav ref={menu} aria-label="Console" className={css.menu}>
          {groupsFor(house).map((group) => (
            <div key={group.title} className={css.group}>
              {group.title && <div className={css.groupTitle}>{group.title}</div>}
              {group.pages.map((one) => (
                <Link key={one.to} to={one.to} activeOptions={{ exact: true }} className={css.item}>
                  {one.title}
                </Link>
              ))}
            </div>
          ))}
        </nav>
      </ScrollArea>
      <div className={css.page}>
        {!house && forHouseAlone(path) ? (
          <NoPermission>This page is about the whole gateway, not about {session.workspace} alone.</NoPermission>
        ) : (
          <Outlet />
        )}
      </div>
    </div>
  );
}
