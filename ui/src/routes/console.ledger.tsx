import { createFileRoute } from '@tanstack/react-router';
import { LedgerPage } from '~/console/LedgerPage';

export const Route = createFileRoute('/console/ledger')({ component: LedgerPage });
