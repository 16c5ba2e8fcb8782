import { createFileRoute } from '@tanstack/react-router';
import { KeysPage } from '~/console/KeysPage';

export const Route = createFileRoute('/console/keys')({ component: KeysPage });
