import { createFileRoute, Outlet } from '@tanstack/react-router';
import { signedIn } from '~/shell/gate';

export const Route = createFileRoute('/usage')({ beforeLoad: signedIn, component: Outlet });
