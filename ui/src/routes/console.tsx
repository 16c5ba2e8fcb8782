import { createFileRoute } from '@tanstack/react-router';
import { ConsoleFrame } from '~/console/ConsoleFrame';
import { signedIn } from '~/shell/gate';

export const Route = createFileRoute('/console')({ beforeLoad: signedIn, component: ConsoleFrame });
