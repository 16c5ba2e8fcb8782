import { createFileRoute } from '@tanstack/react-router';
import { AccountPage } from '~/account/AccountPage';
import { signedIn } from '~/shell/gate';

export const Route = createFileRoute('/account')({ beforeLoad: signedIn, component: AccountPage });
